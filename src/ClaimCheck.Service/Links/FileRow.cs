using Dapper;
using Npgsql;

namespace ClaimCheck.Service.Links;

/// <summary>A row of <c>files</c>: one committed file of a batch.</summary>
internal sealed record FileRow
{
    public required int Ordinal { get; init; }
    public required string Attempt { get; init; }
    public required string Name { get; init; }
    public required long Records { get; init; }
    public required long Bytes { get; init; }
    public required long UncompressedBytes { get; init; }
    public required byte[] Sha256 { get; init; }
    public required long HeaderBytes { get; init; }
    public required string IndexName { get; init; }
    public required long IndexBytes { get; init; }
    public required byte[] IndexSha256 { get; init; }

    /// <summary>A batch's files, in the order of the records.</summary>
    public static async Task<IReadOnlyList<FileRow>> OfAsync(
        Guid batchId, NpgsqlConnection connection, CancellationToken cancellationToken) =>
        (await connection.QueryAsync<FileRow>(new CommandDefinition(
            """
            SELECT ordinal, attempt, name, records, bytes, uncompressed_bytes, sha256, header_bytes, index_name, index_bytes, index_sha256
              FROM files
             WHERE batch_id = @batchId
             ORDER BY ordinal
            """,
            new { batchId },
            cancellationToken: cancellationToken))).AsList();
}
