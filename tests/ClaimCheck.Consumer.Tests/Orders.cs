using ClaimCheck.Contracts;
using ClaimCheck.Consumer.Tests.Staging;

namespace ClaimCheck.Consumer.Tests;

/// <summary>A small batch of orders, and the record that the tests read it into.</summary>
internal sealed record Order(long Id, string? CustomerName, decimal Total, DateTimeOffset PlacedAt)
{
    public static readonly Column[] Columns =
    [
        new("id", "bigint", false),
        new("customer_name", "text", true),
        new("total", "numeric", false),
        new("placed_at", "timestamp with time zone", false),
    ];

    public static Order Number(int i) => new(
        i,
        (i % 4) switch { 0 => null, 1 => "", 2 => $"Ann \"the {i}th\", Ltd\nnew line", _ => $"Zoë {i} 🚚" },
        i * 1.25m,
        DateTimeOffset.UnixEpoch.AddSeconds(i));

    public static StagedTestBatch Batch(
        int count, string format = "csv", string compression = "gzip", string? framing = null, bool saysFraming = true) => new()
        {
            Columns = Columns,
            Rows = [.. Enumerable.Range(1, count).Select(Number).Select(order => new[]
            {
                order.Id.ToString(),
                order.CustomerName,
                order.Total.ToString(),
                format == "csv"
                    ? order.PlacedAt.ToString("yyyy-MM-dd HH:mm:ss+00")
                    : order.PlacedAt.ToString("yyyy-MM-ddTHH:mm:ssZ"),
            })],
            Format = format,
            Compression = compression,
            Framing = framing!,
            SaysFraming = saysFraming,
        };
}
