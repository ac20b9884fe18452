using System.Text.Json;
using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Exporting;

/// <summary>A dataset as it was when the export was asked for. Stored with the export, as JSON.</summary>
internal sealed record FrozenDataset
{
    public required string Name { get; init; }

    /// <summary>True where the producer has uploaded the records: then there is neither source nor query.</summary>
    public bool IsUploaded { get; init; }

    public required string Source { get; init; }

    /// <summary>The query, with <c>:parameters</c>.</summary>
    public required string Sql { get; init; }

    /// <summary>Parameter name to Postgres type, all of them, also those left out of the criteria.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    /// <summary>Whether rows that a policy of the source hides from its role may be missing.</summary>
    public bool RowSecurity { get; init; }

    public required string Key { get; init; }
    public string? OrderedBy { get; init; }

    /// <summary>True where the operator says that no two records have one key: then it is looked at only where it costs nothing.</summary>
    public bool TrustsKey { get; init; }
    public required int SchemaVersion { get; init; }
    public required IReadOnlyList<Column> Columns { get; init; }

    /// <summary>The columns' types with domains resolved, which the names in <see cref="Columns"/> don't tell; null where only those are known.</summary>
    public IReadOnlyList<ResultType>? Types { get; init; }

    /// <summary>Its definition of success, or null.</summary>
    public DatasetDelivery? Delivery { get; init; }
}

/// <summary>Everything a worker needs to turn one export into files.</summary>
internal sealed record ExportPlan
{
    public required ExportId ExportId { get; init; }
    public required BatchId BatchId { get; init; }

    /// <summary>The folder under the batch's prefix that this lease writes to.</summary>
    public required string Attempt { get; init; }
    public required Guid LeaseToken { get; init; }
    public required FrozenDataset Dataset { get; init; }

    /// <summary>Canonical criteria: parameter name to a JSON string with the value's canonical text, a number, a boolean or null.</summary>
    public required JsonElement Criteria { get; init; }
    public required string Format { get; init; }
    public required string Compression { get; init; }
    public required long MaxFileBytes { get; init; }

    /// <summary>How compressed files are framed: one of <see cref="BlockFraming"/>.</summary>
    public string CompressedFraming { get; init; } = BlockFraming.Deflate;

    /// <summary>How this batch's files are.</summary>
    public string Framing => Compression == "gzip" ? CompressedFraming : BlockFraming.None;

    /// <summary>The batch whose transient failures this one retries, or null.</summary>
    public BatchId? RetryOf { get; init; }

    /// <summary>The one consumer that it is for, or <c>*</c>.</summary>
    public string Consumer { get; init; } = "*";

    /// <summary>The trace of the request that asked for it (W3C trace context), or null.</summary>
    public string? TraceParent { get; init; }
}

/// <summary>What an attempt staged; counted as the bytes flowed.</summary>
internal sealed record StagedBatch(DateTimeOffset SnapshotAt, IReadOnlyList<StagedFile> Files)
{
    /// <summary>How far the source's snapshot reached; null where the records were uploaded.</summary>
    public SourceHorizon? Horizon { get; init; }

    public long Records => Files.Sum(file => file.Records);
    public long Bytes => Files.Sum(file => file.Bytes);
    public long UncompressedBytes => Files.Sum(file => file.UncompressedBytes);
}

/// <summary>One complete file with its block index beside it.</summary>
internal sealed record StagedFile
{
    public required string Name { get; init; }
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

/// <summary>How far an attempt is; written by the exporter, read by the heartbeat.</summary>
internal sealed class ExportMeter
{
    private long records;
    private long bytes;
    private int files;
    private long estimatedRecords = -1;

    public long Records => Interlocked.Read(ref records);
    public long Bytes => Interlocked.Read(ref bytes);
    public int Files => Volatile.Read(ref files);
    public long? EstimatedRecords => Interlocked.Read(ref estimatedRecords) is var known and >= 0 ? known : null;

    public void Stored(long moreRecords, long moreBytes)
    {
        Interlocked.Add(ref records, moreRecords);
        Interlocked.Add(ref bytes, moreBytes);
    }

    public void FileBegun() => Interlocked.Increment(ref files);

    public void Estimated(long all) => Interlocked.Exchange(ref estimatedRecords, all);
}

/// <summary>An export can't go on. The code is stable; the text holds no data of records and no link.</summary>
internal sealed class ExportFailedException(string code, string detail, bool isTransient, Exception? inner = null)
    : Exception(detail, inner)
{
    public string Code { get; } = code;

    /// <summary>True where another try may succeed.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>For a value that the source can't send: the SQLSTATE that it said so with.</summary>
    public string? SourceLimit { get; init; }
}

/// <summary>The lease is no longer this worker's (lost, revoked, cancelled): whatever it does now must change nothing.</summary>
internal sealed class LeaseLostException(ExportId exportId) : Exception($"The lease of {exportId} is lost.");
