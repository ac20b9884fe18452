using System.Collections.Concurrent;

namespace ClaimCheck.Import.Running;

/// <summary>Polls a source, and runs what it finds there, several files at a time.</summary>
internal sealed partial class SourceWatcher(
    IWatchedSource source, ImportRuns runs, RunContext context, Action<ImportRun> progress,
    Func<RunDirectory, Arrival, RunDocument> make)
{
    // Runs of dead watchers are found by the others.
    private static readonly TimeSpan ScanInterval = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, Task> active = new(StringComparer.Ordinal);
    private readonly Queue<string> broken = new();
    private readonly ConcurrentDictionary<string, string> taking = new(StringComparer.Ordinal);
    private readonly HashSet<string> open = new(StringComparer.Ordinal);
    private readonly RunRetention retention = new(runs, context);
    private volatile bool scanSoon = true;
    private long scanned;

    /// <param name="once">End when nothing is left to do.</param>
    /// <param name="cancellationToken">Interrupts all runs; they can be resumed.</param>
    /// <exception cref="IOException">With <paramref name="once"/>: a run failed with an I/O error, or the source can't be
    /// read.</exception>
    public async Task RunAsync(bool once, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                if (scanSoon || (!once && context.Time.GetElapsedTime(scanned) > ScanInterval))
                {
                    // If it fails, runs under way continue, and so does the watching.
                    await TryAsync(once, () => ScanAsync(cancellationToken), e => Log.Broken(context.Logger, Defect.Of(e)));
                }
                var sighting = await LookAsync(once, cancellationToken);
                // A full disk, for example. Runs under way continue; others are found again.
                if (!await TryAsync(
                    once, () => StartAsync(sighting, once, cancellationToken), e => Log.NotStarted(context.Logger, Defect.Of(e))))
                    scanSoon = true;
                if (once && active.Count == 0 && broken.Count == 0 && sighting is { Arrivals.Count: 0, IsSettled: true })
                    return;
                await Task.WhenAny([.. active.Values, Task.Delay(context.Options.Arrival.Poll, context.Time, cancellationToken)]);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            await Task.WhenAll(active.Values); // each ends by the same token
        }
    }

    private static async Task<bool> TryAsync(bool once, Func<Task> work, Action<Exception> report)
    {
        try
        {
            await work();
            return true;
        }
        catch (Exception e) when (!once && e is not OperationCanceledException)
        {
            report(e);
            return false;
        }
    }

    private async Task ScanAsync(CancellationToken cancellationToken)
    {
        (scanSoon, scanned) = (false, context.Time.GetTimestamp());
        taking.Clear();
        await retention.SweepAsync(cancellationToken);
        foreach (var run in await runs.UnsettledAsync(context.Logger, cancellationToken))
        {
            if (run.Name != context.Options.Name || !source.Owns(run))
                continue;
            // Its file may still be there, and must not get another run.
            if (run.State == RunState.Preparing)
                taking[run.Source] = run.RunId;
            if (!active.ContainsKey(run.RunId) && !broken.Contains(run.RunId))
                broken.Enqueue(run.RunId);
        }
    }

    private async Task<Sighting> LookAsync(bool once, CancellationToken cancellationToken)
    {
        var sighting = new Sighting([], IsSettled: false, []);
        var isSeen = await TryAsync(once, async () => sighting = await source.LookAsync(cancellationToken), e =>
        {
            if (e is IOException)
                Log.NotSeen(context.Logger, e.Message);
            else
                Log.Broken(context.Logger, Defect.Of(e));
        });
        if (!isSeen)
            return sighting;
        open.IntersectWith(sighting.Open);
        foreach (var name in sighting.Open.Where(open.Add))
            Log.Open(context.Logger, name);
        return sighting;
    }

    private async Task StartAsync(Sighting sighting, bool once, CancellationToken cancellationToken)
    {
        foreach (var ended in active.Where(run => run.Value.IsCompleted).Select(run => run.Key).ToList())
        {
            active.Remove(ended, out var run);
            await run!;
        }
        while (active.Count < context.Options.Files && broken.TryDequeue(out var runId))
            active[runId] = RunAsync(runId, isNew: false, once, cancellationToken);
        foreach (var arrival in sighting.Arrivals)
        {
            if (active.Count >= context.Options.Files)
                return;
            if (taking.ContainsKey(arrival.Source))
                continue;
            var directory = runs.DirectoryOf(ImportRuns.NewId());
            directory.Create();
            taking[arrival.Source] = directory.RunId;
            await directory.SaveAsync(make(directory, arrival));
            active[directory.RunId] = RunAsync(directory.RunId, isNew: true, once, cancellationToken);
        }
    }

    private async Task RunAsync(string runId, bool isNew, bool once, CancellationToken cancellationToken)
    {
        try
        {
            var directory = runs.DirectoryOf(runId);
            using var held = await directory.TryLockAsync(cancellationToken);
            // Without the lock, another watcher has it.
            if (held is null || await directory.LoadAsync(cancellationToken) is not { IsSettled: false } run)
                return;
            if (!isNew)
                Log.Resumed(context.Logger, runId);
            if (await new RunProcessor(directory, run, context, progress).RunAsync(source, cancellationToken) is { } ended)
                progress(ended);
            taking.TryRemove(new(run.Source, runId));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Log.BrokenOff(context.Logger, runId);
        }
        catch (Exception e) when (!once && e is (IOException or UnauthorizedAccessException))
        {
            Log.NotNow(context.Logger, runId, e.Message);
            scanSoon = true;
        }
        catch (Exception e) when (!once)
        {
            // The next scan, within a minute, finds it again; the others continue meanwhile.
            Log.RunBroke(context.Logger, Defect.Of(e), runId);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The source can't be read at present. {Reason}")]
        public static partial void NotSeen(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Error, "The source can't be read; it is tried again.")]
        public static partial void Broken(ILogger logger, Exception exception);

        [LoggerMessage(LogLevel.Error, "A run for a file of the source can't be started; it is tried again.")]
        public static partial void NotStarted(ILogger logger, Exception exception);

        [LoggerMessage(LogLevel.Error, "Import {RunId} failed unexpectedly, and is tried again.")]
        public static partial void RunBroke(ILogger logger, Exception exception, string runId);
        [LoggerMessage(LogLevel.Information, "The file {Name} is open for writing, and is imported once it is closed.")]
        public static partial void Open(ILogger logger, string name);

        [LoggerMessage(LogLevel.Information, "Import {RunId} continues where it was interrupted.")]
        public static partial void Resumed(ILogger logger, string runId);

        [LoggerMessage(LogLevel.Information, "Import {RunId} is interrupted; it continues when the source is watched again.")]
        public static partial void BrokenOff(ILogger logger, string runId);

        [LoggerMessage(LogLevel.Warning, "Import {RunId} can't continue at present, and is tried again. {Reason}")]
        public static partial void NotNow(ILogger logger, string runId, string reason);
    }
}
