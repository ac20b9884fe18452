namespace ClaimCheck.Service.ProducerBatches;

/// <summary>A file as its producer announced it, and where it is.</summary>
internal sealed record ProducerFile(
    int Ordinal, string Name, long Bytes, byte[] Sha256, long Records, string? ReceivedKey, string? MultipartKey,
    string? MultipartId)
{
    /// <summary>The key that links write to.</summary>
    public string LinkKey(BatchId batch) => $"{StagingKeys.Landing(batch)}{Ordinal:D5}";

    /// <summary>The key that is read: the received and verified copy, or what a link has written.</summary>
    public string Key(BatchId batch) => ReceivedKey ?? LinkKey(batch);
}

/// <summary>A batch that is, or was, uploaded by its producer.</summary>
internal sealed record ProducerBatch(
    ExportRow Export, bool IsOpen, DateTimeOffset OpenUntil, DateTimeOffset? PublishedAt, IReadOnlyList<ProducerFile> Files)
{
    /// <summary>Its time is over, and the worker that cancels it has not reached it yet.</summary>
    public bool IsLate => !IsOpen && PublishedAt is null && Export.State == ExportState.Open;
}

/// <summary>Producer batches in the catalog: open until they are published, and then like any export.</summary>
internal sealed class ProducerBatchStore(NpgsqlDataSource catalog, ExportStore exports, ProducerBatchesOptions options)
{
    private const string FileColumns = "ordinal, name, bytes, sha256, records, received_key, multipart_key, multipart_id";

    /// <summary>Opens a batch, once per idempotency key.</summary>
    public Task<CreatedExport> OpenAsync(
        Caller caller, NewExport export, IReadOnlyList<UploadRequestFile> files, string? key, byte[] meaning,
        CancellationToken cancellationToken) =>
        exports.CreateAsync(
            caller,
            export,
            key,
            meaning,
            cancellationToken,
            (transaction, row) => transaction.ExecuteAsync(
                """
                INSERT INTO producer_batches (batch_id, open_until, next_look_at)
                VALUES (@BatchId, now() + @OpenFor, now() + @OpenFor);
                INSERT INTO producer_files (batch_id, ordinal, name, bytes, sha256, records)
                SELECT @BatchId, f.ordinal, f.name, f.bytes, f.sha256, f.records
                  FROM unnest(@Names, @Bytes, @Digests, @Records) WITH ORDINALITY AS f (name, bytes, sha256, records, ordinal);
                """,
                new
                {
                    row.BatchId,
                    options.OpenFor,
                    Names = files.Select(file => file.Name).ToArray(),
                    Bytes = files.Select(file => file.Bytes).ToArray(),
                    Digests = files.Select(file => Convert.FromHexString(file.Sha256)).ToArray(),
                    Records = files.Select(file => file.Records).ToArray(),
                },
                cancellationToken));

    /// <summary>The meaning that an idempotency key stands for: the digest of the request.</summary>
    public static byte[] Meaning(JsonElement body) =>
        SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new object[] { "upload", body }));

    public Task<KnownKey?> FindByKeyAsync(Caller caller, string key, CancellationToken cancellationToken) =>
        exports.FindByKeyAsync(caller, key, cancellationToken);

    public Task<ExportRow?> FindExportAsync(Caller caller, ExportId id, CancellationToken cancellationToken) =>
        exports.FindAsync(caller, id, cancellationToken);

    /// <returns>Null where the batch does not exist for the caller, or the service itself has exported it.</returns>
    public async Task<ProducerBatch?> FindAsync(Caller caller, BatchId batch, CancellationToken cancellationToken) =>
        await exports.FindAsync(caller, batch, cancellationToken) is { } export
            ? await FindAsync(export, cancellationToken)
            : null;

    public async Task<ProducerBatch?> FindAsync(ExportRow export, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        var found = await connection.QuerySingleOrDefaultAsync<BatchRow>(
            """
            SELECT u.open_until, u.published_at, e.state = 'open' AND u.open_until > now() AS is_open
              FROM producer_batches u
              JOIN exports e USING (batch_id)
             WHERE u.batch_id = @BatchId
            """,
            new { export.BatchId },
            cancellationToken);
        return found is null ? null : new(export, found.IsOpen, found.OpenUntil, found.PublishedAt, await FilesAsync(
            connection, export.Batch, cancellationToken));
    }

    /// <summary>The files of a batch that was published, and the time of that.</summary>
    public async Task<(DateTimeOffset PublishedAt, IReadOnlyList<ProducerFile> Files)> PublishedAsync(
        BatchId batch, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        var publishedAt = await connection.QuerySingleAsync<DateTimeOffset>(
            "SELECT published_at FROM producer_batches WHERE batch_id = @Id AND published_at IS NOT NULL",
            new { Id = batch.Value },
            cancellationToken);
        return (publishedAt, await FilesAsync(connection, batch, cancellationToken));
    }

    /// <summary>Records which copy of a file is valid. All others can be removed from then on.</summary>
    /// <returns>False where the batch is not open, another copy came first, or this one was overtaken.</returns>
    public Task<bool> ReceivedAsync(BatchId batch, int ordinal, string key, CancellationToken cancellationToken) =>
        WhileOpenAsync(
            batch,
            """
            SELECT FROM producer_files WHERE batch_id = @Id AND ordinal = @ordinal FOR UPDATE;
            UPDATE producer_files f
               SET received_key = @key
             WHERE batch_id = @Id AND ordinal = @ordinal AND received_key IS NULL
               AND EXISTS (SELECT FROM multipart_uploads u
                            WHERE u.batch_id = @Id AND u.object_key = @key AND u.superseded_at IS NULL);
            UPDATE producer_batches b
               SET next_look_at = least(next_look_at, now() + interval '30 seconds')
             WHERE batch_id = @Id
               AND EXISTS (SELECT FROM producer_files f
                            WHERE f.batch_id = @Id AND f.ordinal = @ordinal AND f.received_key = @key);
            """,
            new { Id = batch.Value, ordinal, key },
            cancellationToken,
            mustChange: true);

    /// <summary>Records until when links that are about to be returned can write.</summary>
    /// <returns>False where the batch is not open: then they must not be returned.</returns>
    public Task<bool> LinkedAsync(BatchId batch, DateTimeOffset until, CancellationToken cancellationToken) =>
        WhileOpenAsync(batch, "UPDATE producer_files SET links_until = greatest(links_until, @until) WHERE batch_id = @Id",
            new { Id = batch.Value, until }, cancellationToken);

    /// <summary>Records the upload in parts of a file, unless it has a different one meanwhile.</summary>
    /// <returns>False where the batch is not open, the file has arrived, or another upload was recorded
    /// meanwhile.</returns>
    public Task<bool> BegunPartsAsync(
        BatchId batch, ProducerFile file, StagedMultipartUpload upload, CancellationToken cancellationToken) =>
        WhileOpenAsync(
            batch,
            """
            WITH noted AS (
                UPDATE producer_files
                   SET multipart_key = @Key, multipart_id = @UploadId
                 WHERE batch_id = @Id AND ordinal = @Ordinal AND received_key IS NULL
                   AND multipart_id IS NOT DISTINCT FROM @MultipartId
                RETURNING batch_id
            )
            INSERT INTO multipart_uploads (batch_id, object_key, upload_id, attempt)
            SELECT batch_id, @Key, @UploadId, @Landing FROM noted;
            """,
            new { Id = batch.Value, file.Ordinal, file.MultipartId, upload.Key, upload.UploadId, MultipartUploads.Landing },
            cancellationToken,
            mustChange: true);

    /// <summary>Hands the batch over to the workers.</summary>
    /// <returns>False where it is not open: published already, or ended.</returns>
    public Task<bool> PublishAsync(BatchId batch, CancellationToken cancellationToken) =>
        WhileOpenAsync(
            batch,
            """
            UPDATE exports SET state = 'pending', next_try_at = now() WHERE batch_id = @Id AND state = 'open';
            UPDATE producer_batches SET published_at = now(), next_look_at = now() + interval '5 seconds' WHERE batch_id = @Id;
            """,
            new { Id = batch.Value },
            cancellationToken,
            forUpdate: true);

    // A publication, a cancellation and a lease all change the row that is locked here.
    private async Task<bool> WhileOpenAsync(
        BatchId batch, string sql, object parameters, CancellationToken cancellationToken, bool forUpdate = false,
        bool mustChange = false)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        var isOpen = await transaction.ExecuteScalarAsync<bool>(
            $"""
            SELECT true
              FROM exports
             WHERE batch_id = @Id AND state = 'open'
               AND EXISTS (SELECT FROM producer_batches WHERE batch_id = @Id AND open_until > now())
               FOR {(forUpdate ? "UPDATE" : "SHARE")}
            """,
            new { Id = batch.Value },
            cancellationToken);
        if (!isOpen)
            return false;
        var changed = await transaction.ExecuteAsync(sql, parameters, cancellationToken);
        if (mustChange && changed < 1)
            return false;
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>One file as it is now, of a batch that is open.</summary>
    public Task<ProducerFile?> FindOpenFileAsync(BatchId batch, int ordinal, CancellationToken cancellationToken) =>
        catalog.QuerySingleOrDefaultAsync<ProducerFile>(
            $"""
            SELECT {FileColumns}
              FROM producer_files
             WHERE batch_id = @Id AND ordinal = @ordinal
               AND EXISTS (SELECT FROM exports e
                             JOIN producer_batches b USING (batch_id)
                            WHERE e.batch_id = @Id AND e.state = 'open' AND b.open_until > now())
            """,
            new { Id = batch.Value, ordinal },
            cancellationToken);

    public async Task<IReadOnlyList<ProducerFile>> FilesAsync(BatchId batch, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        return await FilesAsync(connection, batch, cancellationToken);
    }

    private static async Task<IReadOnlyList<ProducerFile>> FilesAsync(
        NpgsqlConnection connection, BatchId batch, CancellationToken cancellationToken) =>
        await connection.ListAsync<ProducerFile>(
            $"""
            SELECT {FileColumns}
              FROM producer_files
             WHERE batch_id = @Id
             ORDER BY ordinal
            """,
            new { Id = batch.Value },
            cancellationToken);

    private sealed record BatchRow
    {
        public required DateTimeOffset OpenUntil { get; init; }
        public DateTimeOffset? PublishedAt { get; init; }
        public required bool IsOpen { get; init; }
    }
}
