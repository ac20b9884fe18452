using ClaimCheck.Contracts;
using ClaimCheck.Records;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Http;
using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Runs one leased job to its outcome: completed, failed, cancelled, or given back.</summary>
internal sealed partial class JobRunner(
    JobLeases leases, JobExecutor executor, JobOutcomes outcomes, BulkJobsOptions options, ILogger<JobRunner> logger)
{
    // The time that a chunk under way is given when the worker is told to stop.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    public async Task RunAsync(JobLease lease, CancellationToken stoppingToken)
    {
        using var scope = logger.BeginScope(new Dictionary<string, object> { ["JobId"] = lease.JobId });
        using var activity = Telemetry.Source.StartActivity("bulk job", System.Diagnostics.ActivityKind.Consumer, lease.TraceParent);
        activity?.SetTag("claimcheck.job_id", lease.JobId.ToString());
        using var lost = new CancellationTokenSource();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(lost.Token);
        await using var grace = stoppingToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).CancelAfter(Grace), ended);
        var isCancelled = lease.IsCancelled;
        using var heartbeat = new Heartbeat(
            async token =>
            {
                var renewed = await leases.RenewAsync(lease, token);
                Volatile.Write(ref isCancelled, renewed == true || isCancelled);
                return renewed is not null;
            },
            options.Lease,
            lost);
        Log.Started(logger, lease.JobId, lease.Operation.Name);
        try
        {
            // It fails, and ends as a cancelled one does: what was applied is counted, and nothing more is applied. If even that
            // kills the worker, at once.
            var isGivenUp = lease.Leases > options.Leases;
            var givenUp = new BulkJobFailure("worker_lost", $"{lease.Leases - 1} workers in a row were lost over this job.", Transient: false);
            var end = lease.Leases > 2 * options.Leases
                ? new(BulkJobStatus.Failed, givenUp, null)
                : await executor.RunAsync(lease, () => isGivenUp || Volatile.Read(ref isCancelled), stoppingToken, ended.Token);
            if (isGivenUp && end.Status == BulkJobStatus.Cancelled && !Volatile.Read(ref isCancelled))
                end = end with { Status = BulkJobStatus.Failed, Failure = givenUp };
            await EndAsync(lease, end);
        }
        catch (Exception e) when (lost.IsCancellationRequested || e is JobLostException)
        {
            Log.Lost(logger, lease.JobId);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await HandBackAsync(lease, TimeSpan.Zero, failed: false);
            Log.HandedBack(logger, lease.JobId);
        }
        catch (JobFailedException e)
        {
            await TryEndAsync(lease, new(BulkJobStatus.Failed, new(e.Code, e.Message, e.IsTransient), null));
        }
        catch (StagingException e)
        {
            await TryAgainOrFailAsync(lease, new("staging_unavailable", e.Message, e.IsTransient));
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e))
        {
            await TryAgainOrFailAsync(lease, new("catalog_unavailable", "The service's own database could not be reached.", Transient: true));
        }
        catch (Exception e)
        {
            // A defect: another try would not help. The text of an unknown exception may contain data; its type does not.
            Log.Broken(logger, Defect.Of(e), lease.JobId);
            await TryEndAsync(
                lease, new(BulkJobStatus.Failed, new(ProblemCodes.InternalError, $"An unexpected {e.GetType().Name} ended the job. It is logged.", Transient: false), null));
        }
        finally
        {
            await heartbeat.StopAsync();
        }
    }

    private async Task EndAsync(JobLease lease, JobEnd end)
    {
        if (!await CatalogErrors.Patient.ExecuteAsync(
            async token => await outcomes.EndAsync(lease, end.Status, end.Failure, end.ResultKey, token), CancellationToken.None))
        {
            Log.Lost(logger, lease.JobId);
            return;
        }

        if (end.Failure is { } failure)
            Log.Failed(logger, lease.JobId, failure.Code, failure.Detail);
        else
            Log.Ended(logger, lease.JobId, end.Status);
        try
        {
            // What earlier workers had begun to write.
            if (lease.Leases > 1)
                await outcomes.RemoveLeftoversAsync(lease, end.ResultKey, CancellationToken.None);
        }
        catch (Exception e) when (e is StagingException || CatalogErrors.IsTransient(e))
        {
            Log.NotTidied(logger, lease.JobId, e.Message); // deleted when the job's time to live ends
        }
    }

    private async Task TryEndAsync(JobLease lease, JobEnd end)
    {
        try
        {
            await EndAsync(lease, end);
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e))
        {
            // The lease runs out, and another worker continues.
            Log.Unreported(logger, lease.JobId, e.Message);
        }
    }

    private async Task TryAgainOrFailAsync(JobLease lease, BulkJobFailure failure)
    {
        if (!failure.Transient || lease.Tries + 1 >= options.Tries)
        {
            await TryEndAsync(lease, new(BulkJobStatus.Failed, failure, null));
            return;
        }

        var delay = Backoff.After(lease.Tries + 1, options.Delay, options.LongestDelay);
        await HandBackAsync(lease, delay, failed: true);
        Log.TriedAgain(logger, lease.JobId, failure.Code, failure.Detail, delay);
    }

    // On a short token of its own: the worker's is cancelled. If it fails, the lease runs out by itself.
    private async Task HandBackAsync(JobLease lease, TimeSpan delay, bool failed)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await leases.HandBackAsync(lease, delay, failed, soon.Token);
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e) || e is OperationCanceledException)
        {
            Log.Unreported(logger, lease.JobId, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Job {JobId} hit a defect of the service.")]
        public static partial void Broken(ILogger logger, Exception exception, JobId jobId);

        [LoggerMessage(LogLevel.Information, "Job {JobId} is running: {Operation}.")]
        public static partial void Started(ILogger logger, JobId jobId, string operation);

        [LoggerMessage(LogLevel.Information, "Job {JobId} is {Status}.")]
        public static partial void Ended(ILogger logger, JobId jobId, string status);

        [LoggerMessage(LogLevel.Information, "Job {JobId} has failed: {Code}. {Detail}")]
        public static partial void Failed(ILogger logger, JobId jobId, string code, string detail);

        [LoggerMessage(LogLevel.Information, "Job {JobId} is no longer this worker's.")]
        public static partial void Lost(ILogger logger, JobId jobId);

        [LoggerMessage(LogLevel.Information, "Job {JobId} is pending again: this worker stops.")]
        public static partial void HandedBack(ILogger logger, JobId jobId);

        [LoggerMessage(LogLevel.Warning, "Job {JobId} is pending again after {Code}: {Detail} The next try is in {Delay}.")]
        public static partial void TriedAgain(ILogger logger, JobId jobId, string code, string detail, TimeSpan delay);

        [LoggerMessage(LogLevel.Warning, "The outcome of job {JobId} could not be written ({Reason}); its lease runs out instead.")]
        public static partial void Unreported(ILogger logger, JobId jobId, string reason);

        [LoggerMessage(LogLevel.Warning, "Objects that earlier workers left of job {JobId} could not be removed now ({Reason}).")]
        public static partial void NotTidied(ILogger logger, JobId jobId, string reason);
    }
}

/// <summary>How a job ends.</summary>
internal sealed record JobEnd(string Status, BulkJobFailure? Failure, string? ResultKey);
