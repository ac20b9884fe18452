using System.Security.Cryptography;
using System.Text;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Batches;
using ClaimCheck.Service.Staging;
using Dapper;
using Npgsql;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>
/// A job's objects in staging: each upload is recorded before its first byte, guarded by a live intake or by a lease, so that
/// erasing a job aborts all of its uploads, and nothing can be completed afterwards.
/// </summary>
internal sealed class JobStaging(IStaging staging, NpgsqlDataSource catalog)
{
    public static readonly TimeSpan IntakeLives = TimeSpan.FromSeconds(30);

    /// <summary>Begins to receive a body. Renewed by <see cref="RenewAsync"/>, ended by the job's creation or <see cref="DropAsync"/>.</summary>
    public async Task BeginAsync(JobId job, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "INSERT INTO bulk_job_intakes (job_id, live_until) VALUES (@Id, now() + @IntakeLives)",
            new { Id = job.Value, IntakeLives },
            cancellationToken: cancellationToken));
    }

    /// <returns>False where the intake was swept, because it had been silent for too long.</returns>
    public async Task<bool> RenewAsync(JobId job, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE bulk_job_intakes SET live_until = now() + @IntakeLives WHERE job_id = @Id AND abandoned_at IS NULL AND live_until > now()",
            new { Id = job.Value, IntakeLives },
            cancellationToken: cancellationToken)) == 1;
    }

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
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "DELETE FROM bulk_job_intakes WHERE job_id = @Id", new { Id = job.Value }, cancellationToken: cancellationToken));
    }

    /// <summary>Aborts every upload of a job and deletes every object but one.</summary>
    public async Task EraseAsync(JobId job, CancellationToken cancellationToken, params string[] keep)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        var recorded = await connection.QueryAsync<(string Key, string Id)>(new CommandDefinition(
            "SELECT object_key, upload_id FROM bulk_job_uploads WHERE job_id = @Id", new { Id = job.Value }, cancellationToken: cancellationToken));
        foreach (var (key, id) in recorded.Where(upload => !keep.Contains(upload.Key, StringComparer.Ordinal)))
            await staging.AbortAsync(new(key, id), cancellationToken);
        var prefix = StagingKeys.Job(job);
        await foreach (var upload in staging.ListUploadsAsync(prefix, cancellationToken))
            await staging.AbortAsync(upload, cancellationToken);
        var objects = new List<StagedObject>();
        await foreach (var found in staging.ListAsync(prefix, cancellationToken))
        {
            if (!keep.Contains(found.Key, StringComparer.Ordinal))
                objects.Add(found);
        }

        if (objects.Count > 0)
            await staging.DeleteAsync(objects, cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "DELETE FROM bulk_job_uploads WHERE job_id = @Id AND NOT object_key = ANY(@keep)",
            new { Id = job.Value, keep },
            cancellationToken: cancellationToken));
    }

    /// <summary>
    /// The results of a job, for the endpoint that streams them through the service. Null where they are gone or there never were
    /// any.
    /// </summary>
    public async Task<StreamedContent?> ResultsAsync(JobRow row, CancellationToken cancellationToken)
    {
        var key = row.ResultKey!;
        await foreach (var found in staging.ListAsync(key, cancellationToken))
        {
            // Written once, under a name that is never used again.
            if (found.Key == key)
                return StreamedContent.Of(key, found.Bytes, $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))}\"", new(null, row.JobId, key));
        }

        return null;
    }

    private async Task<StagedWriter?> OpenAsync(JobId job, string key, string name, string sql, Guid? token, CancellationToken cancellationToken)
    {
        var upload = await staging.BeginAsync(key, new StagedContent("application/x-ndjson", name), cancellationToken);
        var writer = staging.OpenWriter(upload);
        try
        {
            await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
            if (await connection.ExecuteAsync(new CommandDefinition(
                sql, new { Id = job.Value, Key = key, upload.UploadId, token }, cancellationToken: cancellationToken)) == 1)
            {
                return writer;
            }
        }
        catch
        {
            await writer.DisposeAsync(); // aborts the upload
            throw;
        }

        await writer.DisposeAsync();
        return null;
    }
}
