namespace ClaimCheck.Contracts;

/// <summary>One column of a batch's records, in the order of the records' values.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its Postgres type, as <c>format_type</c> writes it.</param>
/// <param name="Nullable">False where the source guarantees a value.</param>
public sealed record Column(string Name, string Type, bool Nullable);

/// <summary>The list of a batch's files with links, counts and checksums.</summary>
public sealed record Manifest
{
    /// <summary>The export.</summary>
    public required ExportId ExportId { get; init; }

    /// <summary>The batch.</summary>
    public required BatchId BatchId { get; init; }

    /// <summary>The dataset's name.</summary>
    public required string Dataset { get; init; }

    /// <summary>The dataset's schema version.</summary>
    public required int SchemaVersion { get; init; }

    /// <summary>The criteria, in canonical form.</summary>
    public required JsonElement Criteria { get; init; }

    /// <summary>
    /// The moment of the snapshot that all records were read in: what was committed before is in it. Where the source is a
    /// standby it is the commit that was replayed last.
    /// </summary>
    public required DateTimeOffset SnapshotAt { get; init; }

    /// <summary>
    /// True where rows that a policy of the source (row-level security) hides from the service's role are missing, which the
    /// dataset's definition allows. Omitted from the JSON where it is false: then no policy has hidden a row.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool RowSecurity { get; init; }

    /// <summary>The columns, in order.</summary>
    public required IReadOnlyList<Column> Columns { get; init; }

    /// <summary>The column whose value, as text, names a record.</summary>
    public required string Key { get; init; }

    /// <summary>The column that the records are ordered by, across all files; null where no order is guaranteed.</summary>
    public string? OrderedBy { get; init; }

    /// <summary><c>csv</c> or <c>ndjson</c>.</summary>
    public required string Format { get; init; }

    /// <summary><c>gzip</c> or <c>none</c>.</summary>
    public required string Compression { get; init; }

    /// <summary>Records in all files.</summary>
    public required long Records { get; init; }

    /// <summary>Stored bytes of all files.</summary>
    public required long Bytes { get; init; }

    /// <summary>Bytes of all files before compression.</summary>
    public required long UncompressedBytes { get; init; }

    /// <summary>When the first of the links below expires.</summary>
    public required DateTimeOffset LinksExpireAt { get; init; }

    /// <summary>The permanent address of this manifest; each GET mints fresh links.</summary>
    public required string ClaimUrl { get; init; }

    /// <summary>The files, in the order of the records.</summary>
    public required IReadOnlyList<ManifestFile> Files { get; init; }
}

/// <summary>One file of a batch.</summary>
public sealed record ManifestFile
{
    /// <summary>Its name, for example <c>part-00001.csv.gz</c>, or <c>part-0002-00001.csv.gz</c> of a range of the key.</summary>
    public required string Name { get; init; }

    /// <summary>A link to its bytes.</summary>
    public required Link Url { get; init; }

    /// <summary>Its records.</summary>
    public required long Records { get; init; }

    /// <summary>Its stored bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>Its bytes before compression.</summary>
    public required long UncompressedBytes { get; init; }

    /// <summary>SHA-256 of the stored bytes, 64 hex digits.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Its block index.</summary>
    public required ManifestIndex Index { get; init; }
}

/// <summary>Where a file's block index is.</summary>
/// <param name="Url">A link to it.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">SHA-256 of its bytes, 64 hex digits.</param>
public sealed record ManifestIndex(Link Url, long Bytes, string Sha256);

/// <summary>A file's blocks: <c>part-NNNNN.index.json</c>.</summary>
/// <param name="Blocks">In the order of their offsets.</param>
public sealed record BlockIndex(IReadOnlyList<Block> Blocks)
{
    /// <summary>
    /// How the blocks are stored: one of <see cref="BlockFraming"/>. Version 0.1 did not say: null is
    /// <see cref="BlockFraming.Gzip"/> where the manifest's compression is <c>gzip</c>, else <see cref="BlockFraming.None"/>.
    /// </summary>
    [JsonPropertyOrder(-1)]
    public string? Framing { get; init; }
}

/// <summary>How the blocks of a file are stored. All files of a batch have the same framing.</summary>
public static class BlockFraming
{
    /// <summary>
    /// The file is one gzip member (RFC 1952): its header, in CSV the column names, the blocks, and the 10 bytes of its end. A
    /// block is one or more deflate blocks (RFC 1951), none of them the final one, that refer to nothing before them and end on a
    /// byte boundary: its bytes followed by <c>03 00</c> are a deflate stream of their own.
    /// </summary>
    public const string Deflate = "deflate";

    /// <summary>Each block is a gzip member of its own, and so are the column names of a CSV file. Version 0.1 wrote
    /// compressed files so.</summary>
    public const string Gzip = "gzip";

    /// <summary>The blocks are stored as they are.</summary>
    public const string None = "none";

    /// <summary>The framing that an index states, or the default where it states none.</summary>
    /// <param name="index">The index.</param>
    /// <param name="compression">The manifest's compression.</param>
    public static string Of(BlockIndex index, string compression)
    {
        ArgumentNullException.ThrowIfNull(index);
        return index.Framing ?? (compression == "gzip" ? Gzip : None);
    }
}

/// <summary>A range of whole records inside a file that can be fetched and verified by itself.</summary>
/// <param name="Offset">Where it begins in the stored file.</param>
/// <param name="Bytes">Its stored bytes.</param>
/// <param name="UncompressedBytes">Its bytes before compression.</param>
/// <param name="Records">Its records.</param>
/// <param name="Sha256">SHA-256 of its stored bytes, 64 hex digits.</param>
public sealed record Block(long Offset, long Bytes, long UncompressedBytes, long Records, string Sha256);
