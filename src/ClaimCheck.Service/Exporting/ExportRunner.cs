using System.Collections.Concurrent;

namespace ClaimCheck.Service.Exporting;

/// <summary>Runs one leased export to its outcome: ready, failed, or given back.</summary>
internal sealed partial class ExportRunner(
    IEnumerable<IBatchStager> stagers, ExportLeases leases, ExportOutcomes outcomes, ExportingOptions options,
    ILogger<ExportRunner> logger)
{
    private static readonly TimeSpan WorthTelling = TimeSpan.FromMinutes(10);
    private readonly Dictionary<RecordOrigin, IBatchStager> stagers = stagers.ToDictionary(stager => stager.Origin);
    private readonly ConcurrentDictionary<string, bool> blind = new(StringComparer.Ordinal);

    private readonly LeaseRunner runner = new(options.Tries, options.Lease, options.Delay, options.LongestDelay, logger);

    public async Task RunAsync(ExportPlan plan, CancellationToken stoppingToken)
    {
        using var scope = logger.BeginScope(
            new Dictionary<string, object> { ["ExportId"] = plan.ExportId, ["BatchId"] = plan.BatchId });
        using var activity = Telemetry.Source.StartActivity("export", System.Diagnostics.ActivityKind.Consumer, plan.TraceParent);
        activity?.SetTag("claimcheck.batch_id", plan.BatchId.ToString());
        Log.Started(logger, plan.ExportId, plan.Attempt);
        var meter = new ExportMeter { MaxRecords = plan.Dataset.MaxRecords, MaxBytes = plan.Dataset.MaxBytes };
        await runner.RunAsync(
            new()
            {
                Kind = "export",
                Name = $"Export {plan.ExportId}",
                Renew = token => leases.RenewAsync(plan, meter, token),
                Work = (lost, stopping) => WorkAsync(plan, meter, lost, stopping),
                Explain = e => e is SourceException source ? new(source.Code, source.Message, source.IsTransient) : null,
                Tries = async token => (await leases.TriesAsync(plan, token)).Tries,
                HandBack = (delay, failed, token) => leases.HandBackAsync(plan, delay, failed, token),
                Fail = failure => FailAsync(plan, failure),
            },
            stoppingToken);
    }

    private async Task WorkAsync(ExportPlan plan, ExportMeter meter, CancellationToken lost, CancellationToken stoppingToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lost);
        var (_, used) = await leases.TriesAsync(plan, either.Token);
        if (used > options.Leases)
        {
            await FailAsync(plan, new("worker_lost", $"{used - 1} workers were lost over this export.", Transient: false));
            return;
        }

        var staged = await stagers[plan.Dataset.Origin].StageAsync(plan, meter, either.Token);
        // Not cancelled by the heartbeat: where the answer to the commit is lost, the lease has ended with it, and only
        // the commit itself can tell whether the batch is ready or was lost. Its guard decides.
        if (!await CatalogErrors.Patient.ExecuteAsync(
            async token => await outcomes.CompleteAsync(plan, staged, token), CancellationToken.None))
            throw new LeaseLostException();
        Telemetry.Records.Add(staged.Records);
        Telemetry.Bytes.Add(staged.Bytes);
        Telemetry.Outcomes.Add(1, new KeyValuePair<string, object?>("outcome", ExportState.Ready));
        Log.Ready(logger, plan.ExportId, staged.Records, staged.Bytes, staged.Files.Count);
        Tell(plan, staged);
    }

    // Concerns exports that continue where earlier ones ended: datasets with a parameter of a time.
    private void Tell(ExportPlan plan, StagedBatch staged)
    {
        if (staged.Horizon is not { } horizon
            || !plan.Dataset.Parameters.Values.Any(type => type is "timestamptz" or "timestamp" or "date"))
            return;
        if (horizon.IsBlind && blind.TryAdd(plan.Dataset.Source, true))
            Log.Blind(logger, plan.Dataset.Source);
        if (horizon.SnapshotAt - horizon.ReadUntil > WorthTelling)
            Log.HeldBack(logger, plan.ExportId, horizon.SnapshotAt - horizon.ReadUntil);
    }

    private async Task FailAsync(ExportPlan plan, ExportFailure failure)
    {
        if (!await CatalogErrors.Patient.ExecuteAsync(
            async token => await outcomes.FailAsync(plan, failure, token), CancellationToken.None))
            throw new LeaseLostException();
        Telemetry.Outcomes.Add(1, new KeyValuePair<string, object?>("outcome", failure.Code));
        Log.Failed(logger, plan.ExportId, failure.Code, failure.Detail);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Export {ExportId} is running, attempt {Attempt}.")]
        public static partial void Started(ILogger logger, ExportId exportId, string attempt);

        [LoggerMessage(LogLevel.Information, "Export {ExportId} is ready: {Records} records, {Bytes} bytes in {Files} files.")]
        public static partial void Ready(ILogger logger, ExportId exportId, long records, long bytes, int files);

        [LoggerMessage(LogLevel.Warning,
            "The role of source {Source} may not see when transactions of others began: rows that one of them commits late are "
            + "read by an incremental schedule only within its overlap. Grant it pg_read_all_stats, or let the overlap exceed "
            + "the longest transaction.")]
        public static partial void Blind(ILogger logger, string source);

        [LoggerMessage(LogLevel.Information,
            "A transaction of the source has been open since {For} before the snapshot of export {ExportId}: an incremental "
            + "schedule continues from its beginning.")]
        public static partial void HeldBack(ILogger logger, ExportId exportId, TimeSpan @for);

        [LoggerMessage(LogLevel.Information, "Export {ExportId} has failed: {Code}. {Detail}")]
        public static partial void Failed(ILogger logger, ExportId exportId, string code, string detail);
    }
}
