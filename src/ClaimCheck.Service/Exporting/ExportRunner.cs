using System.Collections.Concurrent;
using ClaimCheck.Contracts;
using ClaimCheck.Records;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Http;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.Exporting;

/// <summary>Runs one leased export to its outcome: ready, failed, or given back.</summary>
internal sealed partial class ExportRunner(
    IEnumerable<IBatchStager> stagers, ExportLeases leases, ExportOutcomes outcomes, ExportingOptions options, ILogger<ExportRunner> logger)
{
    private static readonly TimeSpan WorthTelling = TimeSpan.FromMinutes(10);
    private readonly Dictionary<RecordOrigin, IBatchStager> stagers = stagers.ToDictionary(stager => stager.Origin);
    private readonly ConcurrentDictionary<string, bool> blind = new(StringComparer.Ordinal);

    public async Task RunAsync(ExportPlan plan, CancellationToken stoppingToken)
    {
        using var scope = logger.BeginScope(new Dictionary<string, object> { ["ExportId"] = plan.ExportId, ["BatchId"] = plan.BatchId });
        using var activity = Telemetry.Source.StartActivity("export", System.Diagnostics.ActivityKind.Consumer, plan.TraceParent);
        activity?.SetTag("claimcheck.batch_id", plan.BatchId.ToString());
        using var lost = new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lost.Token);
        Log.Started(logger, plan.ExportId, plan.Attempt);
        var meter = new ExportMeter();
        using var heartbeat = new Heartbeat(token => leases.RenewAsync(plan, meter, token), options.Lease, lost);
        try
        {
            var (_, used) = await leases.TriesAsync(plan, either.Token);
            if (used > options.Leases)
            {
                await FailAsync(plan, new("worker_lost", $"{used - 1} workers were lost over this export.", Transient: false));
                return;
            }

            var staged = await stagers[plan.Dataset.Origin].StageAsync(plan, meter, either.Token);
            // Not cancelled by the heartbeat: where the answer to the commit is lost, the lease has ended with it, and only
            // the commit itself can tell whether the batch is ready or was lost. Its guard decides.
            var completed = await CatalogErrors.Patient.ExecuteAsync(
                async token => await outcomes.CompleteAsync(plan, staged, token), CancellationToken.None);
            if (completed)
            {
                Telemetry.Records.Add(staged.Records);
                Telemetry.Bytes.Add(staged.Bytes);
                Telemetry.Outcomes.Add(1, new KeyValuePair<string, object?>("outcome", ExportState.Ready));
                Log.Ready(logger, plan.ExportId, staged.Records, staged.Bytes, staged.Files.Count);
                Tell(plan, staged);
            }
            else
            {
                Log.Lost(logger, plan.ExportId);
            }
        }
        catch (Exception e) when (lost.IsCancellationRequested || e is LeaseLostException)
        {
            Log.Lost(logger, plan.ExportId);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Given back at once: another worker need not wait for the lease to run out.
            await HandBackAsync(plan, TimeSpan.Zero, failed: false);
            Log.HandedBack(logger, plan.ExportId);
        }
        catch (SourceException e)
        {
            await TryAgainOrFailAsync(plan, new(e.Code, e.Message, e.IsTransient), e);
        }
        catch (StagingException e)
        {
            await TryAgainOrFailAsync(plan, new("staging_unavailable", e.Message, e.IsTransient), e);
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e))
        {
            await TryAgainOrFailAsync(plan, new("catalog_unavailable", "The service's own database could not be reached.", Transient: true), e);
        }
        catch (Exception e)
        {
            // A defect: another try would not help. The text of an unknown exception may contain data; its type does not.
            Log.Broken(logger, Defect.Of(e), plan.ExportId);
            await TryAgainOrFailAsync(plan, new(ProblemCodes.InternalError, $"An unexpected {e.GetType().Name} ended the export. It is logged.", Transient: false), e);
        }
        finally
        {
            await heartbeat.StopAsync();
        }
    }

    // Concerns exports that continue where earlier ones ended: datasets with a parameter of a time.
    private void Tell(ExportPlan plan, StagedBatch staged)
    {
        if (staged.Horizon is not { } horizon || !plan.Dataset.Parameters.Values.Any(type => type is "timestamptz" or "timestamp" or "date"))
            return;
        if (horizon.IsBlind && blind.TryAdd(plan.Dataset.Source, true))
            Log.Blind(logger, plan.Dataset.Source);
        if (horizon.SnapshotAt - horizon.ReadUntil > WorthTelling)
            Log.HeldBack(logger, plan.ExportId, horizon.SnapshotAt - horizon.ReadUntil);
    }

    private async Task TryAgainOrFailAsync(ExportPlan plan, ExportFailure failure, Exception cause)
    {
        try
        {
            var (failedBefore, _) = await CatalogErrors.Patient.ExecuteAsync(async token => await leases.TriesAsync(plan, token), CancellationToken.None);
            if (!failure.Transient || failedBefore + 1 >= options.Tries)
            {
                await FailAsync(plan, failure);
                return;
            }

            var delay = Backoff.After(failedBefore + 1, options.Delay, options.LongestDelay);
            await HandBackAsync(plan, delay, failed: true);
            Log.TriedAgain(logger, plan.ExportId, failure.Code, failure.Detail, delay);
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e))
        {
            // The lease runs out, and another worker continues.
            Log.Unreported(logger, plan.ExportId, cause.GetType().Name, e.Message);
        }
    }

    private async Task FailAsync(ExportPlan plan, ExportFailure failure)
    {
        if (await CatalogErrors.Patient.ExecuteAsync(async token => await outcomes.FailAsync(plan, failure, token), CancellationToken.None))
        {
            Telemetry.Outcomes.Add(1, new KeyValuePair<string, object?>("outcome", failure.Code));
            Log.Failed(logger, plan.ExportId, failure.Code, failure.Detail);
        }
        else
        {
            Log.Lost(logger, plan.ExportId);
        }
    }

    // On a short token of its own: the worker's is cancelled. If it fails, the lease runs out by itself.
    private async Task HandBackAsync(ExportPlan plan, TimeSpan delay, bool failed)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await leases.HandBackAsync(plan, delay, failed, soon.Token);
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e) || e is OperationCanceledException)
        {
            Log.Unreported(logger, plan.ExportId, "hand-back", e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Export {ExportId} is running, attempt {Attempt}.")]
        public static partial void Started(ILogger logger, ExportId exportId, string attempt);

        [LoggerMessage(LogLevel.Information, "Export {ExportId} is ready: {Records} records, {Bytes} bytes in {Files} files.")]
        public static partial void Ready(ILogger logger, ExportId exportId, long records, long bytes, int files);

        [LoggerMessage(LogLevel.Warning,
            "The role of source {Source} may not see when transactions of others began: rows that one of them commits late are read by an incremental "
            + "schedule only within its overlap. Grant it pg_read_all_stats, or let the overlap exceed the longest transaction.")]
        public static partial void Blind(ILogger logger, string source);

        [LoggerMessage(LogLevel.Information,
            "A transaction of the source has been open since {For} before the snapshot of export {ExportId}: an incremental schedule continues from its beginning.")]
        public static partial void HeldBack(ILogger logger, ExportId exportId, TimeSpan @for);

        [LoggerMessage(LogLevel.Information, "Export {ExportId} has failed: {Code}. {Detail}")]
        public static partial void Failed(ILogger logger, ExportId exportId, string code, string detail);

        [LoggerMessage(LogLevel.Error, "Export {ExportId} hit a defect of the service.")]
        public static partial void Broken(ILogger logger, Exception exception, ExportId exportId);

        [LoggerMessage(LogLevel.Information, "Export {ExportId} is no longer this worker's; what it staged is left to be swept.")]
        public static partial void Lost(ILogger logger, ExportId exportId);

        [LoggerMessage(LogLevel.Information, "Export {ExportId} is pending again: this worker stops.")]
        public static partial void HandedBack(ILogger logger, ExportId exportId);

        [LoggerMessage(LogLevel.Warning, "Export {ExportId} is pending again after {Code}: {Detail} The next try is in {Delay}.")]
        public static partial void TriedAgain(ILogger logger, ExportId exportId, string code, string detail, TimeSpan delay);

        [LoggerMessage(LogLevel.Warning, "The outcome of export {ExportId} ({Cause}) could not be written ({Reason}); its lease runs out instead.")]
        public static partial void Unreported(ILogger logger, ExportId exportId, string cause, string reason);
    }
}
