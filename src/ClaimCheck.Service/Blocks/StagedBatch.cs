namespace ClaimCheck.Service.Blocks;

/// <summary>What an attempt staged; counted as the bytes flowed.</summary>
internal sealed record StagedBatch(DateTimeOffset SnapshotAt, IReadOnlyList<StagedFile> Files)
{
    /// <summary>How far the source's snapshot reached; null where the records were uploaded.</summary>
    public SourceHorizon? Horizon { get; init; }

    /// <summary>How the source was read; null where the records were uploaded.</summary>
    public ExportRanges? Ranges { get; init; }

    /// <summary>How many records the source's planner expected; null where that is not known.</summary>
    public long? EstimatedRecords { get; init; }

    public long Records => Files.Sum(file => file.Records);
    public long Bytes => Files.Sum(file => file.Bytes);
    public long UncompressedBytes => Files.Sum(file => file.UncompressedBytes);
}

/// <summary>One complete file with its block index beside it.</summary>
internal sealed record StagedFile
{
    public required string Name { get; init; }

    /// <summary>The number of the range whose records it has; null where all records share files.</summary>
    public int? Range { get; init; }
    public required long Records { get; init; }
    public required long Bytes { get; init; }
    public required long UncompressedBytes { get; init; }
    public required byte[] Sha256 { get; init; }

    /// <summary>One of <see cref="BlockFraming"/>.</summary>
    public required string Framing { get; init; }

    /// <summary>Stored bytes before the first block: the gzip header, the column names.</summary>
    public required long HeaderBytes { get; init; }

    /// <summary>The column names before compression.</summary>
    public required Crc32Sum PlainHeader { get; init; }

    /// <summary>All records before compression.</summary>
    public required Crc32Sum PlainRecords { get; init; }
    public required int Blocks { get; init; }
    public required string IndexName { get; init; }
    public required long IndexBytes { get; init; }
    public required byte[] IndexSha256 { get; init; }
}
