using ClaimCheck.Service.Batches;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>A job's objects in staging: each upload is recorded before its first byte, guarded by a live intake or by a lease, so
/// that erasing a job aborts all of its uploads, and nothing can be completed afterwards.</summary>
internal sealed class JobStaging(IStaging staging, NpgsqlDataSource catalog)
{
    public static readonly TimeSpan IntakeLives = TimeSpan.FromSeconds(30);

    /// <summary>Begins to receive a body. Renewed by <see cref="RenewAsync"/>, ended by the job's creation or
    /// <see cref="DropAsync"/>.</summary>
    public Task BeginAsync(JobId job, CancellationToken cancellationToken) =>
        catalog.ExecuteAsync(
            "INSERT INTO bulk_job_intakes (job_id, live_until) VALUES (@Id, now() + @IntakeLives)",
            new { Id = job.Value, IntakeLives },
            cancellationToken);

    /// <returns>False where the intake was swept, because it had been silent for too long.</returns>
    public async Task<bool> RenewAsync(JobId job, CancellationToken cancellationToken) =>
        await catalog.ExecuteAsync(
            "UPDATE bulk_job_intakes SET live_until = now() + @IntakeLives WHERE job_id = @Id AND abandoned_at IS NULL "
            + "AND live_until > now()",
            new { Id = job.Value, IntakeLives },
            cancellationToken) == 1;

    /// <returns>Null where the intake has expired; the upload is aborted.</returns>
    public Task<StagedWriter?> OpenBodyAsync(JobId job, CancellationToken cancellationToken) => OpenAsync(
        job,
        StagingKeys.Job(job) + "body.ndjson",
        "body.ndjson",
        """
        INSERT INTO bulk_job_uploads (job_id, object_key, upload_id)
        SELECT job_id, @Key, @UploadId
          FROM bulk_job_intakes
         WHERE job_id = @Id AND abandoned_at IS NULL AND live_until > now()
           FOR SHARE
        """,
        token: null,
        cancellationToken);

    /// <returns>Null where the lease is lost; the upload is aborted.</returns>
    public Task<StagedWriter?> OpenResultsAsync(JobLease lease, CancellationToken cancellationToken) => OpenAsync(
        lease.JobId,
        $"{StagingKeys.Job(lease.JobId)}{lease.Token:N}/results.ndjson",
        "results.ndjson",
        """
        INSERT INTO bulk_job_uploads (job_id, object_key, upload_id)
        SELECT id, @Key, @UploadId
          FROM bulk_jobs
         WHERE id = @Id AND status = 'running' AND lease_token = @token
           FOR SHARE
        """,
        lease.Token,
        cancellationToken);

    /// <summary>Gives an intake up and removes everything of it.</summary>
    public async Task DropAsync(JobId job, CancellationToken cancellationToken)
    {
        await EraseAsync(job, cancellationToken);
        await catalog.ExecuteAsync("DELETE FROM bulk_job_intakes WHERE job_id = @Id", new { Id = job.Value }, cancellationToken);
    }

    /// <summary>Aborts every upload of a job and deletes every object but one.</summary>
    public async Task EraseAsync(JobId job, CancellationToken cancellationToken, params string[] keep)
    {
        var recorded = await catalog.ListAsync<(string Key, string Id)>(
            "SELECT object_key, upload_id FROM bulk_job_uploads WHERE job_id = @Id", new { Id = job.Value }, cancellationToken);
        foreach (var (key, id) in recorded.Where(upload => !keep.Contains(upload.Key, StringComparer.Ordinal)))
            await staging.AbortAsync(new(key, id), cancellationToken);
        var prefix = StagingKeys.Job(job);
        await foreach (var upload in staging.ListUploadsAsync(prefix, cancellationToken))
            await staging.AbortAsync(upload, cancellationToken);
        var objects = await staging.ListAsync(prefix, cancellationToken)
            .Where(found => !keep.Contains(found.Key, StringComparer.Ordinal)).ToListAsync(cancellationToken);
        if (objects.Count > 0)
            await staging.DeleteAsync(objects, cancellationToken);
        await catalog.ExecuteAsync(
            "DELETE FROM bulk_job_uploads WHERE job_id = @Id AND NOT object_key = ANY(@keep)",
            new { Id = job.Value, keep },
            cancellationToken);
    }

    /// <summary>The results of a job, for the endpoint that streams them through the service. Null where they are gone or there
    /// never were any.</summary>
    public async Task<StreamedContent?> ResultsAsync(JobRow row, CancellationToken cancellationToken)
    {
        var key = row.ResultKey!;
        var results = await staging.ListAsync(key, cancellationToken)
            .FirstOrDefaultAsync(each => each.Key == key, cancellationToken);
        if (results is null)
            return null;
        // Written once, under a name that is never used again.
        var etag = $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))}\"";
        return StreamedContent.Of(key, results.Bytes, etag, new(null, row.JobId, key));
    }

    private Task<StagedWriter?> OpenAsync(
        JobId job, string key, string name, string sql, Guid? token, CancellationToken cancellationToken) =>
        MultipartUploads.OpenAsync(
            staging,
            key,
            new StagedContent("application/x-ndjson", name),
            upload => catalog.ExecuteAsync(sql, new { Id = job.Value, Key = key, upload.UploadId, token }, cancellationToken),
            cancellationToken);
}
