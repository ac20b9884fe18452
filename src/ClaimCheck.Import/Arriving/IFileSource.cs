namespace ClaimCheck.Import.Arriving;

/// <summary>A complete file that may be taken.</summary>
/// <param name="Name">Without its folder.</param>
/// <param name="Source">Where it is: a path or <c>s3://…</c>.</param>
/// <param name="Marker">In S3: the marker object that reserves it.</param>
internal sealed record Arrival(string Name, string Source, string? Marker = null);

/// <summary>The result of one look at a source.</summary>
/// <param name="Arrivals">Complete files.</param>
/// <param name="IsSettled">No file is there that is still being written.</param>
/// <param name="Open">Files that would be complete, but are open for writing.</param>
internal sealed record Sighting(IReadOnlyList<Arrival> Arrivals, bool IsSettled, IReadOnlyList<string> Open);

/// <summary>Where files come from, and where they are moved when their runs have ended.</summary>
internal interface IFileSource
{
    /// <summary>Takes the file for this run, and makes its bytes available where the run expects them. May be repeated.</summary>
    /// <returns>False where another run has it, or it is gone.</returns>
    Task<bool> TakeAsync(RunDocument run, RunDirectory directory, CancellationToken cancellationToken);

    /// <summary>Moves the file of an ended run to where its outcome is visible. May be repeated.</summary>
    Task SettleAsync(RunDocument run, ImportRun outcome, RunDirectory directory, CancellationToken cancellationToken);
}

/// <summary>A source that files appear in.</summary>
internal interface IWatchedSource : IFileSource
{
    string Origin { get; }

    /// <summary>Checks that only one watcher can take a file. Leaves nothing behind.</summary>
    /// <exception cref="ImportException">The store does not support what taking a file relies on.</exception>
    /// <exception cref="IOException">The check is not possible at present.</exception>
    Task ProveAsync(CancellationToken cancellationToken);

    /// <exception cref="IOException">The source can't be read at present.</exception>
    Task<Sighting> LookAsync(CancellationToken cancellationToken);

    /// <summary>The path of a file's bytes after a run has taken it.</summary>
    string InputFor(Arrival arrival, RunDirectory directory);

    /// <summary>The run's file came from this source.</summary>
    bool Owns(RunDocument run);
}

/// <summary>A file that stays where it is.</summary>
internal sealed class NamedFile : IFileSource
{
    public static readonly NamedFile Instance = new();

    public Task<bool> TakeAsync(RunDocument run, RunDirectory directory, CancellationToken cancellationToken) =>
        Task.FromResult(true);

    public Task SettleAsync(RunDocument run, ImportRun outcome, RunDirectory directory, CancellationToken cancellationToken)
    {
        // A retry's copy of the failures is no longer needed; what failed again is in its own rejects.
        if (run.Origin == RunOrigin.Rejects && run.State == RunState.Completed)
            File.Delete(run.Input);
        return Task.CompletedTask;
    }
}
