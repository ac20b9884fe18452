namespace ClaimCheck.Service.Schedules;

/// <summary>Runs in every worker: fires what is due by the database's clock, and starts waiting runs. Any number may do so at
/// once.</summary>
internal sealed class ScheduleWorker(
    ScheduleFiring firing, RunStarter starter, NpgsqlDataSource catalog, CatalogSignals signals, ILogger<ScheduleWorker> logger)
    : BackgroundService
{
    private const string Topic = "schedules";
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Soonest = TimeSpan.FromMilliseconds(10);

    // Sources that take long to answer must not delay the others.
    private const int AtOnce = 4;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(ScheduleWorker), LoopAsync, logger, stoppingToken);

    private async Task LoopAsync(CancellationToken stoppingToken)
    {
        using var signal = signals.Listen(Topic);
        await PeriodicWork.RunAsync(
            WorkAsync, async token => await signal.WaitAsync(await UntilNextAsync(catalog, token), token), logger, stoppingToken);
    }

    private async Task<bool> WorkAsync(CancellationToken stoppingToken)
    {
        var worked = 0;
        foreach (var due in await firing.DueAsync(stoppingToken))
            worked += await firing.FireAsync(due, stoppingToken) ? 1 : 0;
        await Parallel.ForEachAsync(
            await starter.WaitingAsync(stoppingToken),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stoppingToken },
            async (schedule, token) =>
            {
                if (await starter.StartNextAsync(schedule, token))
                    Interlocked.Increment(ref worked);
            });
        return worked > 0;
    }

    /// <summary>The time until something is due. What has become due since the last look is fired at once.</summary>
    internal static async Task<TimeSpan> UntilNextAsync(NpgsqlDataSource catalog, CancellationToken cancellationToken)
    {
        var left = await catalog.ExecuteScalarAsync<TimeSpan?>(
            """
            SELECT least((SELECT min(try_at) FROM schedules),
                         (SELECT min(try_at) FROM schedule_runs WHERE state = 'queued' AND try_at > now())) - now()
            """,
            null,
            cancellationToken) ?? LookAgain;
        return left > LookAgain ? LookAgain : left < Soonest ? Soonest : left;
    }
}
