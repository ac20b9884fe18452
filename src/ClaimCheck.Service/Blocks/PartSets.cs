namespace ClaimCheck.Service.Blocks;

/// <summary>The sets of files of one batch that are written side by side.</summary>
internal sealed class PartSets(IReadOnlyList<PartFiles> sets) : IAsyncDisposable
{
    public IReadOnlyList<PartFiles> All => sets;

    /// <summary>Completes the last file of each; where there were no records, the one empty file.</summary>
    /// <returns>All files, in the order of their ranges.</returns>
    public async Task<IReadOnlyList<StagedFile>> FinishAsync(CancellationToken cancellationToken)
    {
        if (sets.All(set => set.IsEmpty))
            return await sets[0].FinishAsync(cancellationToken);
        var files = new List<StagedFile>();
        foreach (var set in sets.Where(set => !set.IsEmpty))
            files.AddRange(await set.FinishAsync(cancellationToken));
        return [.. files.OrderBy(file => file.Range)];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var set in sets)
            await set.DisposeAsync();
    }
}
