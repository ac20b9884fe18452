using System.Collections.Concurrent;

namespace ClaimCheck.Import;

/// <summary>All runs in a state directory.</summary>
internal sealed partial class ImportRuns(string state, TimeProvider time)
{
    private const string Prefix = "imp_";

    // A settled run never changes: of thousands, each document is read once per process.
    private readonly ConcurrentDictionary<string, SettledRun> settled = new(StringComparer.Ordinal);

    /// <summary>The default directory of runs.</summary>
    public static string DefaultState => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } home
            ? home
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state"),
        "claimcheck",
        "import");

    public string State { get; } = Path.GetFullPath(state);

    public static string NewId() => $"{Prefix}{Guid.CreateVersion7():N}";

    public RunDirectory DirectoryOf(string runId) => new(Path.Combine(State, "runs", runId));

    /// <summary>The ids of all runs, newest first: they begin with the time.</summary>
    public IEnumerable<string> Ids()
    {
        var folder = Path.Combine(State, "runs");
        return Directory.Exists(folder)
            ? Directory.EnumerateDirectories(folder, $"{Prefix}*").Select(path => Path.GetFileName(path))
                .OrderDescending(StringComparer.Ordinal)
            : [];
    }

    /// <summary>Newest first.</summary>
    public async Task<IReadOnlyList<ImportRun>> ListAsync(int limit, CancellationToken cancellationToken) =>
        await Found(id => TryShowAsync(DirectoryOf(id), cancellationToken)).Take(limit).ToListAsync(cancellationToken);

    /// <exception cref="ImportException">The run does not exist.</exception>
    public async Task<ImportRun> ShowAsync(string runId, CancellationToken cancellationToken) =>
        await TryShowAsync(Existing(runId), cancellationToken) ?? throw NotFound(runId);

    /// <returns>Null where the run does not exist.</returns>
    public async Task<ImportRun?> TryShowAsync(string runId, CancellationToken cancellationToken) =>
        Has(runId) ? await TryShowAsync(DirectoryOf(runId), cancellationToken) : null;

    // The id becomes a path.
    public bool Has(string runId) =>
        runId.StartsWith(Prefix, StringComparison.Ordinal) && runId[Prefix.Length..].All(char.IsAsciiHexDigitLower)
        && DirectoryOf(runId).Exists;

    /// <exception cref="ImportException">The run does not exist.</exception>
    public async Task<(RunDirectory Directory, RunDocument Document)> FindAsync(string runId, CancellationToken cancellationToken)
    {
        var directory = Existing(runId);
        return (directory, await directory.LoadAsync(cancellationToken) ?? throw NotFound(runId));
    }

    /// <summary>
    /// Runs that have not ended, oldest first. One whose document can't be read is left alone, and so is its file.
    /// </summary>
    public async Task<IReadOnlyList<RunDocument>> UnsettledAsync(ILogger logger, CancellationToken cancellationToken)
    {
        var runs = new List<RunDocument>();
        foreach (var id in Ids().Reverse())
        {
            try
            {
                if (!settled.ContainsKey(id) && await LoadAsync(id, cancellationToken) is { IsSettled: false } run)
                    runs.Add(run);
            }
            catch (IOException e)
            {
                Log.Damaged(logger, id, e.Message);
            }
        }
        return runs;
    }

    /// <summary>How many runs are in which state.</summary>
    public async Task<IReadOnlyDictionary<string, int>> StatesAsync(CancellationToken cancellationToken)
    {
        var states = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var id in Ids())
        {
            if ((settled.GetValueOrDefault(id)?.State ?? (await TryLoadAsync(id, cancellationToken))?.State) is { } state)
                states[state] = states.GetValueOrDefault(state) + 1;
        }
        return states;
    }

    /// <summary>The documents of the newest runs.</summary>
    public async Task<IReadOnlyList<RunDocument>> NewestAsync(int limit, CancellationToken cancellationToken) =>
        await Found(id => TryLoadAsync(id, cancellationToken)).Take(limit).ToListAsync(cancellationToken);

    /// <summary>The runs of an import that were settled before a moment, oldest first. A retry comes
    /// after its original.</summary>
    public async Task<IReadOnlyList<RunDocument>> SettledBeforeAsync(
        string name, DateTimeOffset moment, CancellationToken cancellationToken)
    {
        var runs = new List<RunDocument>();
        foreach (var id in Ids().Reverse())
        {
            if (settled.TryGetValue(id, out var known) && !(known.Name == name && known.EndedAt < moment))
                continue;
            if (await TryLoadAsync(id, cancellationToken) is { IsSettled: true } run && run.Name == name && run.EndedAt < moment)
                runs.Add(run);
        }
        return runs;
    }

    /// <summary>Removes the directory of a run, as a whole: nobody sees a part of it.</summary>
    public void Remove(RunDirectory directory)
    {
        var gone = Path.Combine(State, "runs", $".{directory.RunId}");
        Directory.Move(directory.Path, gone);
        settled.TryRemove(directory.RunId, out _);
        Directory.Delete(gone, recursive: true);
    }

    /// <summary>
    /// Deletes what <see cref="Remove"/> did not finish, and directories of runs whose process died while creating them before a
    /// moment.
    /// </summary>
    public void RemoveRests(DateTimeOffset moment)
    {
        var folder = Path.Combine(State, "runs");
        if (!Directory.Exists(folder))
            return;
        foreach (var gone in Directory.EnumerateDirectories(folder, $".{Prefix}*"))
            Directory.Delete(gone, recursive: true);
        foreach (var directory in Ids().Select(DirectoryOf)
            .Where(each => !each.Exists && Directory.GetLastWriteTimeUtc(each.Path) < moment.UtcDateTime))
            Remove(directory);
    }

    /// <summary>Cancels a run: calls under way are finished, nothing more is sent.</summary>
    /// <returns>The run; it is still active where another process is about to end it.</returns>
    /// <exception cref="ImportException">The run does not exist, or it has ended.</exception>
    public async Task<ImportRun> CancelAsync(string runId, CancellationToken cancellationToken)
    {
        var (directory, run) = await FindAsync(runId, cancellationToken);
        if (RunState.IsEnd(run.State))
            throw new ImportException(ImportCodes.RunEnded, $"Run {runId} is {run.State} already.");
        await File.WriteAllBytesAsync(directory.Cancel, [], cancellationToken);
        using var held = await directory.TryLockAsync(cancellationToken);
        if (held is not null && await directory.LoadAsync(cancellationToken) is { } idle && !RunState.IsEnd(idle.State))
        {
            // No process works on it. The next watcher moves a watched folder's file.
            await directory.SaveAsync(idle with
            {
                State = RunState.Cancelled,
                EndedAt = time.GetUtcNow(),
                IsSettled = idle.Origin is RunOrigin.File or RunOrigin.Rejects,
            });
        }
        held?.Dispose();
        return await ShowAsync(runId, cancellationToken);
    }

    private async Task<ImportRun?> TryShowAsync(RunDirectory directory, CancellationToken cancellationToken)
    {
        if (await directory.LoadAsync(cancellationToken) is not { } run)
            return null;
        var history = await JournalHistory.ReadAsync(directory.Journal, cancellationToken);
        return new ImportRun(run, directory, history, !run.IsSettled && directory.IsActive, time);
    }

    private async IAsyncEnumerable<T> Found<T>(Func<string, Task<T?>> find)
        where T : class
    {
        foreach (var id in Ids())
        {
            if (await find(id) is { } run)
                yield return run;
        }
    }

    private async Task<RunDocument?> LoadAsync(string runId, CancellationToken cancellationToken)
    {
        var run = await DirectoryOf(runId).LoadAsync(cancellationToken);
        if (run is { IsSettled: true })
            settled[runId] = new(run.Name, run.State, run.EndedAt);
        return run;
    }

    // A damaged document is reported where its run would be continued.
    private async Task<RunDocument?> TryLoadAsync(string runId, CancellationToken cancellationToken)
    {
        try
        {
            return await LoadAsync(runId, cancellationToken);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private RunDirectory Existing(string runId) => Has(runId) ? DirectoryOf(runId) : throw NotFound(runId);

    private ImportException NotFound(string runId) => new(ImportCodes.RunNotFound, $"Run {runId} was not found in {State}.");

    private sealed record SettledRun(string Name, string State, DateTimeOffset? EndedAt);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Import {RunId} is suspended, because its document can't be read: repair it, or remove "
            + "the run's directory. {Reason}")]
        public static partial void Damaged(ILogger logger, string runId, string reason);
    }
}
