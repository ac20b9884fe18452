namespace ClaimCheck.Service.Exports;

/// <summary>A row of <c>batch_files</c>: one committed file of a batch.</summary>
internal sealed record FileRow(
    int Ordinal, string Attempt, string Name, long Records, long Bytes, long UncompressedBytes, byte[] Sha256,
    string Framing, // one of BlockFraming; all files of a batch have the same
    long HeaderBytes, // stored before the first block
    long? HeaderUncompressedBytes, long? HeaderCrc32, long? RecordsCrc32,
    string IndexName, long IndexBytes, byte[] IndexSha256)
{
    /// <summary>The column names before compression. Known where the framing is <c>deflate</c>.</summary>
    public Crc32Sum PlainHeader => new((uint)HeaderCrc32!.Value, HeaderUncompressedBytes!.Value);

    /// <summary>All records before compression. Known in the same case.</summary>
    public Crc32Sum PlainRecords => new((uint)RecordsCrc32!.Value, UncompressedBytes - HeaderUncompressedBytes!.Value);

    /// <summary>A batch's files, in the order of the records.</summary>
    public static async Task<IReadOnlyList<FileRow>> OfAsync(
        Guid batchId, NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.ListAsync<FileRow>(
            """
            SELECT f.ordinal, f.attempt, f.name, f.records, f.bytes, f.uncompressed_bytes, f.sha256,
                   coalesce(f.framing, e.compression) AS framing, -- version 0.1 framed gzip as 'gzip', and none as 'none'
                   f.header_bytes, f.header_uncompressed_bytes, f.header_crc32, f.records_crc32,
                   f.index_name, f.index_bytes, f.index_sha256
              FROM batch_files f
              JOIN exports e USING (batch_id)
             WHERE batch_id = @batchId
             ORDER BY f.ordinal
            """,
            new { batchId },
            cancellationToken);
}
