namespace ClaimCheck.Import.Reading;

/// <summary>A file of records to be read: its format, and its bytes.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Format"><c>csv</c>, <c>ndjson</c> or <see cref="Rejects"/>.</param>
/// <param name="IsGzip">It is compressed.</param>
internal sealed record RecordFile(string Path, string Format, bool IsGzip)
{
    /// <summary>The format of rejects, as documents of runs have it.</summary>
    public const string Rejects = "bucket";

    private const int BufferBytes = 128 << 10;

    private static readonly (string End, string Format)[] Endings =
        [(".csv", "csv"), (".ndjson", "ndjson"), (".jsonl", "ndjson")];

    /// <returns>The format according to the name, or null.</returns>
    public static string? FormatOf(string name)
    {
        var plain = name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name;
        return Endings.FirstOrDefault(ending => plain.EndsWith(ending.End, StringComparison.OrdinalIgnoreCase)).Format;
    }

    /// <summary>The format according to the name and the first bytes.</summary>
    /// <exception cref="ImportException">They contradict each other, or tell nothing.</exception>
    public static async Task<RecordFile> RecogniseAsync(
        string path, string name, string? format, CancellationToken cancellationToken)
    {
        var known = format ?? FormatOf(name)
            ?? throw new ImportException(
                ImportCodes.UnknownFormat,
                $"The name {name} does not end in .csv, .ndjson or .jsonl (and .gz): set reading.format.");
        var first = new byte[2];
        await using var file = OpenPlain(path);
        var isGzip = await file.ReadAtLeastAsync(first, 2, throwOnEndOfStream: false, cancellationToken) == 2
            && first is [0x1F, 0x8B];
        if (!isGzip && name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            throw new ImportException(RecordCodes.UnreadableGzip, $"{name} is not gzip, although its name says so.");
        return new(path, known, isGzip);
    }

    /// <summary>Its stored bytes. The caller disposes the stream.</summary>
    public static FileStream OpenPlain(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Open,
        Access = FileAccess.Read,
        // Other processes may have it open; its content is verified by its checksum.
        Share = FileShare.ReadWrite | FileShare.Delete,
        BufferSize = BufferBytes,
        Options = FileOptions.SequentialScan,
    });

    /// <summary>Its content, inflated. The caller disposes the stream, which disposes <paramref name="plain"/>.</summary>
    public Stream Inflate(Stream plain, int unpackRatio) => IsGzip ? new InflatedStream(plain, unpackRatio) : plain;
}
