using ClaimCheck.Service.BulkJobs.Targets;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Removes what has expired: jobs whose time to live has passed, with their bodies, results and notes in the target; and
/// bodies whose receiver went silent before a job was created.</summary>
internal sealed partial class JobRetentionWorker(
    NpgsqlDataSource catalog, JobStaging staging, SourceDatabases databases, ILogger<JobRetentionWorker> logger)
    : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(
            nameof(JobRetentionWorker), token => PeriodicWork.RunAsync(SweepNextAsync, Every, logger, token), logger,
            stoppingToken);

    private async Task<bool> SweepNextAsync(CancellationToken cancellationToken)
    {
        if (await SweepIntakeAsync(cancellationToken) || await SweepJobAsync(cancellationToken))
            return true;
        await ForgetAsync(cancellationToken);
        return false;
    }

    private async Task<bool> SweepIntakeAsync(CancellationToken cancellationToken)
    {
        // Once abandoned, it can't be renewed or become a job. Its next sweep is also its lease: one replica at a time erases it.
        var due = await catalog.QuerySingleOrDefaultAsync<Guid?>(
            """
            UPDATE bulk_job_intakes i
               SET abandoned_at = coalesce(abandoned_at, now()), next_sweep_at = now() + interval '1 minute'
              FROM (SELECT job_id
                      FROM bulk_job_intakes
                     WHERE live_until < now() AND (next_sweep_at IS NULL OR next_sweep_at <= now())
                     ORDER BY next_sweep_at NULLS FIRST
                     LIMIT 1
                       FOR UPDATE SKIP LOCKED) due
             WHERE i.job_id = due.job_id
            RETURNING i.job_id
            """,
            null,
            cancellationToken);
        if (due is not { } id)
            return false;
        try
        {
            await staging.DropAsync(new(id), cancellationToken);
        }
        catch (StagingException e)
        {
            Log.Postponed(logger, e.Message);
        }
        catch (Exception e) when (CatalogErrors.IsOfOneItem(e))
        {
            Log.Broken(logger, Defect.Of(e), new(id));
        }

        return true;
    }

    private async Task<bool> SweepJobAsync(CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        // A body stays as long as a retry may read it; the index is bulk_jobs_to_sweep.
        var due = await connection.QuerySingleOrDefaultAsync<DueRow>(
            """
            UPDATE bulk_jobs b
               SET next_sweep_at = now() + interval '1 minute'
              FROM (SELECT id
                      FROM bulk_jobs j
                     WHERE greatest(expires_at, next_sweep_at) <= now() AND expires_at IS NOT NULL AND erased_at IS NULL
                       AND NOT EXISTS (SELECT FROM bulk_jobs r
                                        WHERE (r.body_of = j.id OR r.retry_of = j.id)
                                          AND (r.expires_at IS NULL OR r.expires_at > now()))
                     ORDER BY greatest(expires_at, next_sweep_at)
                     LIMIT 1
                       FOR UPDATE SKIP LOCKED) due
             WHERE b.id = due.id
            RETURNING b.id, b.definition::text AS definition, b.completed_at < now() - interval '10 minutes' AS is_cold,
                      b.expires_at < now() - interval '1 day' AS is_old
            """,
            null,
            cancellationToken);
        if (due is null)
            return false;
        var job = new JobId(due.Id);
        try
        {
            await staging.EraseAsync(job, cancellationToken);
            await connection.ExecuteAsync(new CommandDefinition(
                "UPDATE bulk_jobs SET body = NULL, result_key = NULL WHERE id = @Id; DELETE FROM "
                + "bulk_job_failures WHERE job_id = @Id",
                new { due.Id },
                commandTimeout: 0, // may be a million rows
                cancellationToken: cancellationToken));
            // A worker that was paused beyond the job's end must still find its notes for a while.
            if (!due.IsCold)
                return true;
            await ForgetNotesAsync(due, cancellationToken);
            await connection.ExecuteAsync(
                "UPDATE bulk_jobs SET erased_at = now() WHERE id = @Id", new { due.Id }, cancellationToken);
            Log.Erased(logger, job);
        }
        catch (StagingException e)
        {
            Log.Postponed(logger, e.Message);
        }
        catch (Exception e) when (TargetErrors.IsTargetError(e) || e is SourceException)
        {
            Log.NotesStay(logger, job, e is SourceException ? e.Message : DatabaseFailure.Of(e).Text);
        }
        catch (Exception e) when (CatalogErrors.IsOfOneItem(e))
        {
            Log.Broken(logger, Defect.Of(e), job);
        }

        return true;
    }

    // A target that is unreachable for a day keeps its notes.
    private async Task ForgetNotesAsync(DueRow due, CancellationToken cancellationToken)
    {
        var operation = JsonSerializer.Deserialize<Operation>(due.Definition, ClaimCheckJson.Options)!;
        if (!operation.IsExactlyOnce)
            return;
        try
        {
            await using var target = await databases.GetForWriting(operation.Target).OpenConnectionAsync(cancellationToken);
            await target.ExecuteAsync(
                "DELETE FROM claimcheck.applied_chunks WHERE job_id = @Id", new { due.Id }, cancellationToken);
        }
        catch (Exception e) when (due.IsOld && (TargetErrors.IsTargetError(e) || e is SourceException))
        {
            Log.NotesStay(logger, new(due.Id), e is SourceException ? e.Message : DatabaseFailure.Of(e).Text);
        }
    }

    // An idempotency key is kept for a day at least. Retries are deleted before their originals. The index is
    // bulk_jobs_to_forget.
    private Task ForgetAsync(CancellationToken cancellationToken) =>
        catalog.ExecuteAsync(
            """
            DELETE FROM bulk_jobs
             WHERE id = ANY(ARRAY(
                   SELECT id
                     FROM bulk_jobs j
                    WHERE erased_at IS NOT NULL
                      AND CASE WHEN idempotency_key IS NULL THEN '-infinity' ELSE created_at END < now() - interval '24 hours'
                      AND NOT EXISTS (SELECT FROM bulk_jobs r WHERE r.body_of = j.id OR r.retry_of = j.id)
                    LIMIT 1000))
            """,
            null,
            cancellationToken);

    private sealed record DueRow(Guid Id, string Definition, bool IsCold, bool IsOld);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Job {JobId} is deleted: its time to live is over.")]
        public static partial void Erased(ILogger logger, JobId jobId);

        [LoggerMessage(LogLevel.Warning, "The sweep of bulk jobs is postponed: {Reason}")]
        public static partial void Postponed(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Error,
            "The expired data of job {JobId} can't be removed; this is tried again, and the sweep continues with other jobs.")]
        public static partial void Broken(ILogger logger, Exception exception, JobId jobId);

        [LoggerMessage(LogLevel.Warning, "The notes of job {JobId} in its target could not be removed. {Reason}")]
        public static partial void NotesStay(ILogger logger, JobId jobId, string reason);
    }
}
