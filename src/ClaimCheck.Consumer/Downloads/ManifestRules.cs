namespace ClaimCheck.Consumer.Downloads;

/// <summary>Checks a manifest before anything in it is used. It may come from anyone who can write to staging.</summary>
internal static class ManifestRules
{
    private const int MaxFiles = 10_000;

    // Postgres allows no more in one result.
    private const int MaxColumns = 1_664;

    private const long MaxIndexBytes = 64 * 1024 * 1024;

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdefABCDEF");

    public static void Check(Manifest manifest, BatchId batch)
    {
        if (manifest.BatchId != batch)
            throw new IntegrityException($"The manifest is of {manifest.BatchId}, but {batch} was asked for.", batch);
        Require(manifest.Format is "csv" or "ndjson", batch, "the format is neither csv nor ndjson");
        Require(manifest.Compression is "gzip" or "none", batch, "the compression is neither gzip nor none");
        Require(manifest.Columns is { Count: > 0 and <= MaxColumns }, batch, $"it has no columns, or more than {MaxColumns}");
        Require(
            manifest.Columns.All(column => column is { Name: not null, Type: not null }), batch, "a column has no name or type");
        Require(
            manifest.Columns.DistinctBy(column => column.Name).Count() == manifest.Columns.Count,
            batch,
            "two columns have one name");
        Require(manifest.Columns.Any(column => column.Name == manifest.Key), batch, "the key is not one of the columns");
        Require(manifest.Files is { Count: <= MaxFiles }, batch, $"there are more than {MaxFiles} files");
        Totals(manifest, batch);
    }

    /// <summary>Fresh links must lead to the same files as before.</summary>
    public static void CheckSameContent(Manifest before, Manifest after)
    {
        var same = before.Records == after.Records
            && before.Format == after.Format
            && before.Compression == after.Compression
            && before.Files.Count == after.Files.Count
            && before.Columns.SequenceEqual(after.Columns)
            && before.Files.Zip(after.Files).All(pair => Identity(pair.First) == Identity(pair.Second));
        Require(same, before.BatchId, "it lists other files than it did when the read began");
    }

    public static bool IsSha256(string? text) => text is { Length: 64 } && !text.AsSpan().ContainsAnyExcept(Hex);

    private static (string, long, long, long, string, string) Identity(ManifestFile file) =>
        (file.Name, file.Records, file.Bytes, file.UncompressedBytes, file.Sha256.ToUpperInvariant(),
            file.Index.Sha256.ToUpperInvariant());

    private static void Totals(Manifest manifest, BatchId batch)
    {
        long records = 0, bytes = 0, uncompressed = 0;
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in manifest.Files)
        {
            Require(file is { Url: not null, Index.Url: not null }, batch, "a file has no link, or no index");
            Require(IsPlainName(file.Name) && names.Add(file.Name), batch, "a file's name is empty, a path, or given twice");
            Require(
                file is { Records: >= 0, Bytes: >= 0, UncompressedBytes: >= 0 }, batch, $"a count of {file.Name} is negative");
            Require(IsSha256(file.Sha256) && IsSha256(file.Index.Sha256), batch, $"a checksum of {file.Name} is not a SHA-256");
            Require(file.Index.Bytes is > 0 and <= MaxIndexBytes, batch,
                $"the index of {file.Name} is empty, or larger than {MaxIndexBytes} bytes");
            try
            {
                checked
                {
                    records += file.Records;
                    bytes += file.Bytes;
                    uncompressed += file.UncompressedBytes;
                }
            }
            catch (OverflowException)
            {
                Require(false, batch, "its counts overflow");
            }
        }
        Require(records == manifest.Records, batch, $"its files have {records} records, but it states {manifest.Records}");
        Require(bytes == manifest.Bytes, batch, $"its files have {bytes} bytes, but it states {manifest.Bytes}");
        Require(
            uncompressed == manifest.UncompressedBytes, batch,
            $"its files have {uncompressed} bytes before compression, but it states {manifest.UncompressedBytes}");
    }

    // The name is used in exception messages and, by consumers, in paths.
    private static bool IsPlainName(string? name) =>
        name is { Length: > 0 and <= 255 } and not ("." or "..")
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    private static void Require(bool holds, BatchId batch, string otherwise)
    {
        if (!holds)
            throw new IntegrityException($"The manifest of {batch} can't be trusted: {otherwise}.", batch);
    }
}
