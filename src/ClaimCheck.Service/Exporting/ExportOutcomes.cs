namespace ClaimCheck.Service.Exporting;

/// <summary>How an export's run ends: one transaction, guarded by state and lease, with its event. Repeated after a lost
/// connection, since a commit whose answer was lost may have happened: the second try recognises that.</summary>
internal sealed class ExportOutcomes(NpgsqlDataSource catalog, IEnumerable<IReadyStep> readySteps)
{
    /// <returns>False if the lease was lost or the export ended meanwhile: then nothing was written.</returns>
    public async Task<bool> CompleteAsync(ExportPlan plan, StagedBatch staged, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        // The row lock taken here is what a concurrent revoke waits for.
        var ready = await transaction.QuerySingleOrDefaultAsync<Subject>(
            $"""
            UPDATE exports
               SET state = 'ready', ready_at = now(), expires_at = now() + retention, snapshot_at = @SnapshotAt,
                   read_until = @ReadUntil,
                   records = @Records, bytes = @Bytes, uncompressed_bytes = @UncompressedBytes, files = @Files,
                   estimated_records = coalesce(@EstimatedRecords, estimated_records),
                   ranges_by = @RangesBy, ranges = @Ranges, lease_token = NULL, lease_until = NULL
             WHERE id = @Id AND state = 'running' AND lease_token = @Token
            RETURNING {Subject.Columns}
            """,
            new
            {
                Id = plan.ExportId.Value,
                Token = plan.LeaseToken,
                staged.SnapshotAt,
                ReadUntil = staged.Horizon?.ReadUntil,
                staged.Records,
                staged.Bytes,
                staged.UncompressedBytes,
                Files = staged.Files.Count,
                staged.EstimatedRecords,
                RangesBy = staged.Ranges?.By,
                Ranges = staged.Ranges?.Count,
            },
            cancellationToken);
        if (ready is null)
            return await WasCompletedAsync(plan, transaction, cancellationToken);

        await transaction.ExecuteAsync(
            """
            INSERT INTO batch_files (batch_id, ordinal, attempt, name, records, bytes, uncompressed_bytes, sha256,
                               framing, header_bytes, header_uncompressed_bytes, header_crc32, records_crc32,
                               blocks, index_name, index_bytes, index_sha256)
            SELECT @BatchId, f.ordinal, @Attempt, f.name, f.records, f.bytes, f.uncompressed_bytes, f.sha256,
                   f.framing, f.header_bytes, f.header_uncompressed_bytes, f.header_crc32, f.records_crc32,
                   f.blocks, f.index_name, f.index_bytes, f.index_sha256
              FROM unnest(@Ordinals, @Names, @Records, @Bytes, @Uncompressed, @Digests,
                          @Framings, @Headers, @PlainHeaders, @HeaderCrcs, @RecordsCrcs,
                          @Blocks, @IndexNames, @IndexBytes, @IndexDigests)
                   AS f (ordinal, name, records, bytes, uncompressed_bytes, sha256,
                         framing, header_bytes, header_uncompressed_bytes, header_crc32, records_crc32,
                         blocks, index_name, index_bytes, index_sha256)
            """,
            new
            {
                BatchId = plan.BatchId.Value,
                plan.Attempt,
                Ordinals = Enumerable.Range(1, staged.Files.Count).ToArray(),
                Names = staged.Files.Select(file => file.Name).ToArray(),
                Records = staged.Files.Select(file => file.Records).ToArray(),
                Bytes = staged.Files.Select(file => file.Bytes).ToArray(),
                Uncompressed = staged.Files.Select(file => file.UncompressedBytes).ToArray(),
                Digests = staged.Files.Select(file => file.Sha256).ToArray(),
                Framings = staged.Files.Select(file => file.Framing).ToArray(),
                Headers = staged.Files.Select(file => file.HeaderBytes).ToArray(),
                PlainHeaders = staged.Files.Select(file => file.PlainHeader.Length).ToArray(),
                HeaderCrcs = staged.Files.Select(file => Crc32Of(file, file.PlainHeader)).ToArray(),
                RecordsCrcs = staged.Files.Select(file => Crc32Of(file, file.PlainRecords)).ToArray(),
                Blocks = staged.Files.Select(file => file.Blocks).ToArray(),
                IndexNames = staged.Files.Select(file => file.IndexName).ToArray(),
                IndexBytes = staged.Files.Select(file => file.IndexBytes).ToArray(),
                IndexDigests = staged.Files.Select(file => file.IndexSha256).ToArray(),
            },
            cancellationToken);
        foreach (var step in readySteps)
            await step.TakeAsync(transaction, plan, staged, cancellationToken);
        // A retry whose records are all gone has nothing to fetch. Links and the claim URL are minted by the relay, anew for each
        // delivery.
        if (plan.RetryOf is null || staged.Records > 0)
            await AnnounceAsync(transaction, plan, staged, ready, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    // Other files have no end that would need it.
    private static long? Crc32Of(StagedFile file, Crc32Sum sum) => file.Framing == BlockFraming.Deflate ? sum.Crc32 : null;

    private static Task AnnounceAsync(
        Transaction transaction, ExportPlan plan, StagedBatch staged, Subject ready, CancellationToken cancellationToken) =>
        Outbox.AddAsync(
            transaction,
            EventTypes.BulkReady,
            ready.Event,
            new ReadyFacts(
                plan.ExportId,
                plan.BatchId,
                ready.Dataset,
                ready.SchemaVersion,
                plan.RetryOf,
                staged.Records,
                staged.Bytes,
                staged.Files.Count,
                plan.Format,
                plan.Compression),
            cancellationToken);

    /// <returns>False if the lease was lost or the export ended meanwhile: then nothing was written.</returns>
    public async Task<bool> FailAsync(ExportPlan plan, ExportFailure failure, CancellationToken cancellationToken)
    {
        failure = failure with { Detail = BoundedText.Cut(failure.Detail, BoundedText.Detail) };
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        var failed = await transaction.QuerySingleOrDefaultAsync<Subject>(
            $"""
            UPDATE exports
               SET state = 'failed', ended_at = now(), failure_code = @Code, failure_detail = @Detail,
                   failure_transient = @Transient, lease_token = NULL, lease_until = NULL
             WHERE id = @Id AND state = 'running' AND lease_token = @Token
            RETURNING {Subject.Columns}
            """,
            new { Id = plan.ExportId.Value, Token = plan.LeaseToken, failure.Code, failure.Detail, failure.Transient },
            cancellationToken);
        if (failed is null)
            return false;
        // Nothing staged remains.
        await transaction.ExecuteAsync(
            "INSERT INTO batch_deletions (batch_id) VALUES (@BatchId) ON CONFLICT (batch_id) DO NOTHING",
            new { BatchId = plan.BatchId.Value },
            cancellationToken);
        await Outbox.AddAsync(
            transaction,
            EventTypes.BulkFailed,
            failed.Event,
            new BulkFailedData(plan.ExportId, plan.BatchId, failed.Dataset, failure),
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    // An earlier try of the same completion may have committed without its answer reaching us.
    private static async Task<bool> WasCompletedAsync(
        ExportPlan plan, Transaction transaction, CancellationToken cancellationToken) =>
        await transaction.ExecuteScalarAsync<bool>(
            """
            SELECT EXISTS (SELECT FROM exports WHERE id = @Id AND ready_at IS NOT NULL AND attempt = @Attempt)
            """,
            new { Id = plan.ExportId.Value, plan.Attempt },
            cancellationToken);

    private sealed record Subject(
        Guid Id, Guid BatchId, string Tenant, string Dataset, int SchemaVersion, string Consumer)
    {
        public const string Columns = "id, batch_id, tenant, dataset, schema_version, consumer";

        public EventSubject Event => new(Id, BatchId, Tenant, Dataset, Consumer);
    }
}
