namespace ClaimCheck.Import.Runs;

/// <summary>A run that has imported a content, or is importing it.</summary>
/// <param name="RunId">The run.</param>
/// <param name="State">Its state, or its last one.</param>
/// <param name="File">The file's name; null once its directory was deleted.</param>
internal sealed record EarlierImport(string RunId, string State, string? File);

/// <summary>
/// Which contents were imported, and by which run; separately for each import's name. A note is the run's id, and once the run's
/// retention is is over its last state too: a run that is gone without such a note was removed by hand, and does not count.
/// </summary>
internal sealed class SeenContents(string state)
{
    /// <summary>Records that a run imports a content.</summary>
    /// <returns>Null; or the run that has imported it, or is importing it, where it must not be imported again.</returns>
    public async Task<EarlierImport?> NoteAsync(RunDocument run, string sha256, CancellationToken cancellationToken)
    {
        var folder = FolderOf(run.Name);
        Durable.CreatePrivateFolder(folder);
        using var _ = await LockAsync(Path.Combine(folder, "lock"), cancellationToken);
        var path = Path.Combine(folder, sha256);
        var (known, lastState) = await ReadAsync(path, cancellationToken);
        if (known == run.RunId)
            return null;
        if (!run.Again && known is not null)
        {
            if (lastState is not null)
                return new(known, lastState, null);
            if (await new RunDirectory(Path.Combine(state, "runs", known)).LoadAsync(cancellationToken) is { } other
                && Counts(other))
                return new(known, other.State, other.File);
        }
        await Durable.ReplaceAsync(path, Encoding.ASCII.GetBytes(run.RunId), cancellationToken);
        return null;
    }

    /// <summary>Keeps a record of what a run has imported, for when its directory is gone.</summary>
    public async Task RetireAsync(RunDocument run, CancellationToken cancellationToken)
    {
        var folder = FolderOf(run.Name);
        if (run.Sha256 is null || !Directory.Exists(folder))
            return;
        using var _ = await LockAsync(Path.Combine(folder, "lock"), cancellationToken);
        var path = Path.Combine(folder, run.Sha256);
        if ((await ReadAsync(path, cancellationToken)).RunId == run.RunId && Counts(run))
            await Durable.ReplaceAsync(path, Encoding.ASCII.GetBytes($"{run.RunId} {run.State}"), cancellationToken);
    }

    // Of a file that failed nothing was sent, unless it changed meanwhile.
    private static bool Counts(RunDocument run) => run.State != RunState.Failed || run.Failure?.Code == ImportCodes.FileChanged;

    private static async Task<(string? RunId, string? LastState)> ReadAsync(string path, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
            return (null, null);
        var words = (await File.ReadAllTextAsync(path, cancellationToken)).Split(
            ' ', 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return (words.ElementAtOrDefault(0), words.ElementAtOrDefault(1));
    }

    private string FolderOf(string name) => Path.Combine(state, "seen", name);

    private static async Task<FileStream> LockAsync(string path, CancellationToken cancellationToken)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            }
            catch (IOException) when (tries < 200)
            {
                await Task.Delay(50, cancellationToken); // held for a few writes at most
            }
        }
    }
}
