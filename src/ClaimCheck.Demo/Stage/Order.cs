using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Unicode;
using Npgsql;

namespace ClaimCheck.Demo.Stage;

/// <summary>One order of the sample, as the consumer of this tour reads it.</summary>
internal sealed record Order(
    long Id, string Customer, string Status, decimal Amount, string Currency, string? Note, DateTimeOffset CreatedAt)
{
    private const string SumOf =
        """
        SELECT count(*),
               coalesce(sum(('x' || left(encode(sha256(convert_to(
                   concat_ws('|', id, customer, status, amount, currency, coalesce('=' || note, '-'),
                             (extract(epoch FROM created_at) * 1000000)::bigint),
                   'UTF8')), 'hex'), 15))::bit(60)::bigint), 0)::text
          FROM
        """;

    /// <summary>
    /// The same sum in a database: the first 60 bits of SHA-256 over each row's text, added up, in whatever order the rows
    /// come. NULL and the empty text differ in it.
    /// </summary>
    public static async Task<(long Count, string Sum)> SumAsync(
        string database, string table, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand($"{SumOf} {table}");
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return (row.GetInt64(0), row.GetString(1));
    }

    /// <summary>Orders of the sample that have a status.</summary>
    public static async Task<long> CountAsync(ServiceProcess service, string status, CancellationToken cancellationToken)
    {
        await using var sample = NpgsqlDataSource.Create(await service.SampleConnectionAsync(cancellationToken));
        await using var command = sample.CreateCommand("SELECT count(*) FROM orders WHERE status = $1");
        command.Parameters.Add(new() { Value = status });
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public ulong Fingerprint(Span<byte> scratch)
    {
        var microseconds = (CreatedAt.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        if (!Utf8.TryWrite(
                scratch,
                $"{Id}|{Customer}|{Status}|{Amount}|{Currency}|{(Note is null ? "-" : "=")}{Note}|{microseconds}",
                out var length))
            throw new DemoException("An order's text is longer than any that the sample has.");
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(scratch[..length], hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash) >> 4;
    }
}
