namespace ClaimCheck.Service.Exports;

/// <summary>What is asked of a dataset: from the request, with the defaults filled in, to the row that a worker's
/// plan is made of.</summary>
internal sealed record ExportTerms(
    JsonElement Criteria, string Format, string Compression, long MaxFileBytes, TimeSpan LinkLifetime, TimeSpan Retention)
{
    /// <summary>The meaning that an idempotency key stands for: the digest of the canonical request.</summary>
    public byte[] Meaning(string dataset) =>
        SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(
            new object[] { dataset, Criteria, Format, Compression, MaxFileBytes, LinkLifetime.Ticks, Retention.Ticks }));
}
