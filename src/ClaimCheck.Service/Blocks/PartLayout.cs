namespace ClaimCheck.Service.Blocks;

/// <summary>How a batch's files are named and framed, what they begin with and how large they may be.</summary>
internal sealed record PartLayout
{
    public required string Extension { get; init; }
    public required string ContentType { get; init; }

    /// <summary>One of <see cref="BlockFraming"/>.</summary>
    public required string Framing { get; init; }
    public required long MaxFileBytes { get; init; }

    /// <summary>How many blocks a file has at most: its index, with about 200 bytes per entry, is read as a whole, and readers
    /// accept 64 MiB. Only large files that compress very well have as many.</summary>
    public int MaxBlocks { get; init; } = 100_000;

    /// <summary>As stored.</summary>
    public required ReadOnlyMemory<byte> Header { get; init; }

    /// <summary>The header before compression.</summary>
    public required Crc32Sum PlainHeader { get; init; }

    /// <summary>Stored where a file has neither header nor records.</summary>
    public ReadOnlyMemory<byte> Nothing { get; init; }

    /// <summary>True where a file ends with the end of its one gzip member.</summary>
    public bool IsOneMember => Framing == BlockFraming.Deflate;

    /// <param name="sealer">What compresses the blocks.</param>
    /// <param name="header">The beginning of each file, before compression.</param>
    /// <param name="extension">Of files that are not compressed, without a dot.</param>
    /// <param name="contentType">The content type of the same.</param>
    /// <param name="maxFileBytes">How large a file of several blocks gets at most.</param>
    public static PartLayout Of(
        BlockSealer sealer, ReadOnlyMemory<byte> header, string extension, string contentType, long maxFileBytes)
    {
        var isCompressed = sealer.Framing != BlockFraming.None;
        return new()
        {
            Extension = isCompressed ? $"{extension}.gz" : extension,
            ContentType = isCompressed ? "application/gzip" : contentType,
            Framing = sealer.Framing,
            MaxFileBytes = maxFileBytes,
            Header = sealer.SealHeader(header),
            PlainHeader = Crc32Sum.Of(header.Span),
            Nothing = sealer.SealNothing(),
        };
    }
}
