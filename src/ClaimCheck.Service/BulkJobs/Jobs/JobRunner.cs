namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Runs one leased job to its outcome: completed, failed, cancelled, or given back.</summary>
internal sealed partial class JobRunner(
    JobLeases leases, JobExecutor executor, JobOutcomes outcomes, BulkJobsOptions options, ILogger<JobRunner> logger)
{
    // The time that a chunk under way is given when the worker is told to stop.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly LeaseRunner runner = new(options.Tries, options.Lease, options.Delay, options.LongestDelay, logger);

    public async Task RunAsync(JobLease lease, CancellationToken stoppingToken)
    {
        using var scope = logger.BeginScope(new Dictionary<string, object> { ["JobId"] = lease.JobId });
        using var activity = Telemetry.Source.StartActivity(
            "bulk job", System.Diagnostics.ActivityKind.Consumer, lease.TraceParent);
        activity?.SetTag("claimcheck.job_id", lease.JobId.ToString());
        Log.Started(logger, lease.JobId, lease.Operation.Name);
        var isCancelled = lease.IsCancelled;
        await runner.RunAsync(
            new()
            {
                Kind = "job",
                Name = $"Job {lease.JobId}",
                Renew = async token =>
                {
                    var renewed = await leases.RenewAsync(lease, token);
                    Volatile.Write(ref isCancelled, renewed == true || isCancelled);
                    return renewed is not null;
                },
                Work = (lost, stopping) => WorkAsync(lease, () => Volatile.Read(ref isCancelled), lost, stopping),
                Tries = _ => Task.FromResult(lease.Tries),
                HandBack = (delay, failed, token) => leases.HandBackAsync(lease, delay, failed, token),
                Fail = failure => EndAsync(lease, Failed(failure.Code, failure.Detail, failure.Transient)),
            },
            stoppingToken);
    }

    private async Task WorkAsync(JobLease lease, Func<bool> isCancelled, CancellationToken lost, CancellationToken stoppingToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(lost);
        await using var grace = stoppingToken.UnsafeRegister(
            static source => ((CancellationTokenSource)source!).CancelAfter(Grace), ended);
        // It fails, and ends as a cancelled one does: what was applied is counted, and nothing more is applied. If even that
        // kills the worker, at once.
        var isGivenUp = lease.Leases > options.Leases;
        var givenUp = Failed("worker_lost", $"{lease.Leases - 1} workers in a row were lost over this job.", isTransient: false);
        JobEnd end;
        try
        {
            end = lease.Leases > 2 * options.Leases
                ? givenUp
                : await executor.RunAsync(lease, () => isGivenUp || isCancelled(), stoppingToken, ended.Token);
        }
        catch (JobFailedException e) when (!lost.IsCancellationRequested)
        {
            end = Failed(e.Code, e.Message, e.IsTransient);
        }

        if (isGivenUp && end.Status == BulkJobStatus.Cancelled && !isCancelled())
            end = end with { Status = BulkJobStatus.Failed, Failure = givenUp.Failure };
        await EndAsync(lease, end);
    }

    private static JobEnd Failed(string code, string detail, bool isTransient) =>
        new(BulkJobStatus.Failed, new(code, detail, isTransient), null);

    private async Task EndAsync(JobLease lease, JobEnd end)
    {
        var isEnded = await CatalogErrors.Patient.ExecuteAsync(
            async token => await outcomes.EndAsync(lease, end.Status, end.Failure, end.ResultKey, token), CancellationToken.None);
        if (!isEnded)
            throw new LeaseLostException();
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

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Job {JobId} is running: {Operation}.")]
        public static partial void Started(ILogger logger, JobId jobId, string operation);

        [LoggerMessage(LogLevel.Information, "Job {JobId} is {Status}.")]
        public static partial void Ended(ILogger logger, JobId jobId, string status);

        [LoggerMessage(LogLevel.Information, "Job {JobId} has failed: {Code}. {Detail}")]
        public static partial void Failed(ILogger logger, JobId jobId, string code, string detail);

        [LoggerMessage(LogLevel.Warning, "Objects that earlier workers left of job {JobId} could not be removed now ({Reason}).")]
        public static partial void NotTidied(ILogger logger, JobId jobId, string reason);
    }
}

/// <summary>How a job ends.</summary>
internal sealed record JobEnd(string Status, BulkJobFailure? Failure, string? ResultKey);
