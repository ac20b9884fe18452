namespace ClaimCheck.Import.Running;

/// <summary>Creates a new run from the failures of an ended one. What was retried once is not retried from there again.</summary>
internal sealed class RunRetry(ImportRuns runs)
{
    /// <param name="runId">The run that has ended.</param>
    /// <param name="classes">Which of its failures.</param>
    /// <param name="make">The new run's document.</param>
    /// <param name="cancellationToken">Cancels it; what was begun is found again by the next try.</param>
    /// <returns>The run to continue with.</returns>
    /// <exception cref="ImportException">There is nothing to retry, or it was retried already.</exception>
    public async Task<string> PrepareAsync(
        string runId, IReadOnlyCollection<string> classes, Func<RunDirectory, RunDocument, RunDocument> make,
        CancellationToken cancellationToken)
    {
        var (directory, _) = await runs.FindAsync(runId, cancellationToken);
        using var held = await directory.TryLockAsync(cancellationToken)
            ?? throw new ImportException(ImportCodes.RunBusy, $"Another process works on run {runId}.");
        var parent = (await directory.LoadAsync(cancellationToken))!;
        if (!RunState.IsEnd(parent.State))
            throw new ImportException(
                ImportCodes.RunBusy, $"Run {runId} is {parent.State}: what failed so far is sent again by the run itself.");

        var open = classes.Where(wanted => !parent.Retries.ContainsKey(wanted)).ToHashSet(StringComparer.Ordinal);
        var known = classes.Select(wanted => parent.Retries.GetValueOrDefault(wanted)).FirstOrDefault(id => id is not null);
        // A retry that was interrupted before it began is begun again; its original has named it already.
        if (open.Count == 0 && known is not null && !runs.DirectoryOf(known).Exists)
        {
            open = parent.Retries.Where(retry => retry.Value == known).Select(retry => retry.Key)
                .ToHashSet(StringComparer.Ordinal);
            return await MakeAsync(directory, parent, known, open, make, cancellationToken);
        }
        if (open.Count == 0)
            throw new ImportException(
                ImportCodes.NothingToRetry, $"What failed in run {runId} was retried by run {known}: retry that one.");
        if (!await AnyAsync(directory, open, cancellationToken))
            throw new ImportException(
                ImportCodes.NothingToRetry,
                $"Run {runId} has no failures of class {string.Join(", ", open.Order(StringComparer.Ordinal))}.");

        var retry = ImportRuns.NewId();
        var retries = new Dictionary<string, string>(parent.Retries, StringComparer.Ordinal);
        foreach (var wanted in open)
            retries[wanted] = retry;
        await directory.SaveAsync(parent with { Retries = retries });
        return await MakeAsync(directory, parent, retry, open, make, cancellationToken);
    }

    private async Task<string> MakeAsync(
        RunDirectory from, RunDocument parent, string retry, HashSet<string> classes,
        Func<RunDirectory, RunDocument, RunDocument> make,
        CancellationToken cancellationToken)
    {
        var directory = runs.DirectoryOf(retry);
        directory.Create();
        await using (var file = new FileStream(directory.Copy, FileMode.Create, FileAccess.Write, FileShare.None, 64 << 10))
        {
            await foreach (var line in from.RejectLinesAsync(cancellationToken))
            {
                if (IsOf(line, classes))
                    await file.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), cancellationToken);
            }
            file.Flush(flushToDisk: true);
        }
        await directory.SaveAsync(make(directory, parent));
        return retry;
    }

    private static async Task<bool> AnyAsync(RunDirectory directory, HashSet<string> classes, CancellationToken cancellationToken)
    {
        await foreach (var line in directory.RejectLinesAsync(cancellationToken))
        {
            if (IsOf(line, classes))
                return true;
        }
        return false;
    }

    private static bool IsOf(string line, HashSet<string> classes) => classes.Contains(RejectLine.Read(line).Class!);
}
