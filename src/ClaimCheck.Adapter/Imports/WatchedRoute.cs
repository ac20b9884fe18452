using System.Threading.Channels;

namespace ClaimCheck.Adapter.Imports;

/// <summary>One import route at work: it watches its source, resumes interrupted runs, and retries failures on request.</summary>
internal sealed partial class WatchedRoute(ImportRoute route, RetryOptions retry, ILogger logger) : IDisposable
{
    private const string WatchStep = "watching";
    private static readonly TimeSpan SteadyAfter = TimeSpan.FromSeconds(30);
    private readonly ImportRunner runner = new(route.Options, TimeProvider.System, logger);
    private readonly Channel<string> waiting = Channel.CreateUnbounded<string>();
    private readonly ConcurrentDictionary<string, StepFailure> failures = new(StringComparer.Ordinal);

    public ImportRoute Route => route;

    public ImportRuns Runs => runner.Runs;

    /// <summary>
    /// Why the source can't be watched at present, or null. Success is concluded when it has not failed for a while.
    /// </summary>
    public StepFailure? LastFailure =>
        failures.GetValueOrDefault(WatchStep) is { NextTryAt: { } next } failure
        && TimeProvider.System.GetUtcNow() < next + SteadyAfter
            ? failure
            : null;

    /// <summary>Why a run can't be continued at present, or null.</summary>
    public StepFailure? LastFailureOf(string runId) => failures.GetValueOrDefault(runId);

    /// <summary>Works until it is told to stop; the next process continues what is under way then.</summary>
    public Task RunAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(GuardAsync("The watcher", WatchAsync, stoppingToken), GuardAsync("Resuming", WorkOffAsync, stoppingToken));

    /// <summary>Creates a run of a run's failures, and has it processed.</summary>
    /// <returns>The new run's id.</returns>
    /// <exception cref="ImportException">There is nothing to retry, or the run has not ended.</exception>
    public async Task<string> RetryAsync(string runId, IReadOnlyCollection<string> classes, CancellationToken cancellationToken)
    {
        var id = await runner.PrepareRetryAsync(runId, classes, null, cancellationToken);
        waiting.Writer.TryWrite(id);
        return id;
    }

    public void Dispose() => runner.Dispose();

    private Task WatchAsync(CancellationToken stoppingToken) =>
        runner.WatchAsync(once: false, again: false, configuration: null, static _ => { }, stoppingToken);

    // Retries, and runs of a source that does not belong to this route: the watcher looks at neither.
    private async Task WorkOffAsync(CancellationToken stoppingToken)
    {
        foreach (var run in await Runs.UnsettledAsync(logger, stoppingToken))
        {
            if (!IsWatched(run))
                waiting.Writer.TryWrite(run.RunId);
        }

        await Parallel.ForEachAsync(
            waiting.Reader.ReadAllAsync(stoppingToken),
            new ParallelOptions { MaxDegreeOfParallelism = route.Options.Files, CancellationToken = stoppingToken },
            async (runId, token) => await ResumeAsync(runId, token));
    }

    private async Task ResumeAsync(string runId, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await runner.ResumeAsync(runId, static _ => { }, cancellationToken);
                failures.TryRemove(runId, out _);
                return;
            }
            catch (ImportException e) when (e.Code is ImportCodes.RunEnded or ImportCodes.RunNotFound)
            {
                failures.TryRemove(runId, out _);
                return; // cancelled or removed meanwhile
            }
            catch (Exception e) when (e is ImportException or IOException or UnauthorizedAccessException)
            {
                Log.NotNow(logger, route.Name, runId, e.Message);
                await Task.Delay(Note(runId, "resuming", e, tries), cancellationToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Log.Broken(logger, Defect.Of(e), route.Name, runId); // others are resumed meanwhile
                await Task.Delay(Note(runId, "resuming", e, tries), cancellationToken);
            }
        }
    }

    private Task GuardAsync(string what, Func<CancellationToken, Task> work, CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync($"{what} of route {route.Name}", token => KeepUpAsync(work, token), logger, stoppingToken);

    // A folder that is not mounted yet, a full disk: it is tried until it succeeds.
    private async Task KeepUpAsync(Func<CancellationToken, Task> work, CancellationToken stoppingToken)
    {
        for (var tries = 1; !stoppingToken.IsCancellationRequested; tries++)
        {
            try
            {
                await work(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is ImportException or IOException or UnauthorizedAccessException)
            {
                Log.NotWatched(logger, route.Name, e.Message);
                await Task.Delay(Note(WatchStep, WatchStep, e, tries), stoppingToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private TimeSpan Note(string about, string step, Exception e, int tries)
    {
        var pause = Backoff.After(tries, retry.Delay, retry.LongestDelay);
        var before = about == WatchStep ? LastFailure : LastFailureOf(about);
        // Messages of the system contain paths of this machine.
        var (code, detail) =
            e is ImportException known ? (known.Code, known.Message) : (StepFailure.UnexpectedCode, StepFailure.Unexpected(e));
        failures[about] = StepFailure.After(before, step, code, detail, TimeProvider.System.GetUtcNow(), pause);
        return pause;
    }

    private bool IsWatched(RunDocument run) => run.Origin switch
    {
        RunOrigin.Folder => !route.Options.Source!.StartsWith(S3Link.Scheme, StringComparison.Ordinal)
            && Path.GetDirectoryName(run.Source) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(route.Options.Source)),
        RunOrigin.S3 => run.Source.StartsWith(route.Options.Source!, StringComparison.Ordinal),
        _ => false,
    };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Route {Route} can't watch its source at present, and tries again. {Reason}")]
        public static partial void NotWatched(ILogger logger, string route, string reason);

        [LoggerMessage(LogLevel.Error, "Import {RunId} of route {Route} failed unexpectedly, and is tried again.")]
        public static partial void Broken(ILogger logger, Exception exception, string route, string runId);

        [LoggerMessage(
            LogLevel.Warning, "Import {RunId} of route {Route} can't continue at present, and is tried again. {Reason}")]
        public static partial void NotNow(ILogger logger, string route, string runId, string reason);
    }
}
