namespace ClaimCheck.Service.Exporting;

/// <summary>Everything a worker needs to turn one export into files.</summary>
internal sealed record ExportPlan
{
    public required ExportId ExportId { get; init; }
    public required BatchId BatchId { get; init; }

    /// <summary>The folder under the batch's prefix that this lease writes to.</summary>
    public required string Attempt { get; init; }
    public required Guid LeaseToken { get; init; }
    public required FrozenDataset Dataset { get; init; }

    /// <summary>Canonical criteria: parameter name to a JSON string with the value's canonical text, a number, a
    /// boolean or null.</summary>
    public required JsonElement Criteria { get; init; }
    public required string Format { get; init; }
    public required string Compression { get; init; }
    public required long MaxFileBytes { get; init; }

    /// <summary>How compressed files are framed: one of <see cref="BlockFraming"/>.</summary>
    public string CompressedFraming { get; init; } = BlockFraming.Deflate;

    /// <summary>How this batch's files are named, framed and limited.</summary>
    public string Framing => Compression == "gzip" ? CompressedFraming : BlockFraming.None;

    /// <summary>The batch whose transient failures this one retries, or null.</summary>
    public BatchId? RetryOf { get; init; }

    /// <summary>The one consumer that it is for, or <c>*</c>.</summary>
    public string Consumer { get; init; } = "*";

    /// <summary>The trace of the request that asked for it (W3C trace context), or null.</summary>
    public string? TraceParent { get; init; }
}
