namespace ClaimCheck.Contracts;

/// <summary>A file that a producer announces.</summary>
/// <param name="Name">Its name in calls and errors: letters, digits, dots, dashes and underscores, at most 100.
/// Consumers don't see it.</param>
/// <param name="Bytes">Its size as it is sent, 1 byte at least.</param>
/// <param name="Sha256">The SHA-256 of those bytes, 64 hex digits.</param>
/// <param name="Records">How many records it has.</param>
public sealed record UploadRequestFile(string Name, long Bytes, string Sha256, long Records);

/// <summary>A batch of files that the producer already has: <c>POST /v1/batches</c>.</summary>
public sealed record UploadRequest
{
    /// <summary>A dataset that the service lists, or, with <see cref="Columns"/>, a name of the producer's own.</summary>
    public required string Dataset { get; init; }

    /// <summary>The columns, in order, where the dataset is not one that the service lists.</summary>
    public IReadOnlyList<Column>? Columns { get; init; }

    /// <summary>The column that names a record; with <see cref="Columns"/> only.</summary>
    public string? Key { get; init; }

    /// <summary>The version of the columns, 1 by default; with <see cref="Columns"/> only.</summary>
    public int? SchemaVersion { get; init; }

    /// <summary><c>csv</c> (the default; RFC 4180 in UTF-8, each file with a header) or <c>ndjson</c>.</summary>
    public string? Format { get; init; }

    /// <summary>
    /// <c>gzip</c> (the default) or <c>none</c>: for the files that are sent, and for those that consumers get.
    /// </summary>
    public string? Compression { get; init; }

    /// <summary>Files for consumers are closed before they would grow past this many stored bytes; 64 KiB to 5 GiB, 256
    /// MiB by default.</summary>
    public long? MaxFileBytes { get; init; }

    /// <summary>How long consumers' links live, as an ISO 8601 duration, PT1S to P7D; the dataset's own, or
    /// PT1H, by default.</summary>
    public string? LinkLifetime { get; init; }

    /// <summary>How long the files are kept, counted from ready, as an ISO 8601 duration; the dataset's own, or
    /// P7D, by default.</summary>
    public string? Retention { get; init; }

    /// <summary>The files, in the order of their records.</summary>
    public required IReadOnlyList<UploadRequestFile> Files { get; init; }
}

/// <summary>A presigned request to write one file, or one part of it.</summary>
/// <param name="Method">Always <c>PUT</c>, with a <c>Content-Length</c> of exactly the announced bytes: it is part of the
/// signature.</param>
/// <param name="Url">The address. It needs no key, and must be called without <c>Authorization</c>.</param>
/// <param name="ExpiresAt">When it expires.</param>
public sealed record UploadLink(string Method, Link Url, DateTimeOffset ExpiresAt);

/// <summary>One file of a batch that is being uploaded.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its SHA-256.</param>
/// <param name="Records">Its records.</param>
/// <param name="Received">True where it has arrived whole, and is not taken again: through the service, with its SHA-256 found
/// right, or in parts that were put together. What is sent by a link to S3 is looked at when the batch is published.</param>
/// <param name="Content">Where PUT streams it through the service; null once the batch is published or has ended.</param>
/// <param name="Link">The link to write it by one PUT of exactly its size; null as above, once it has arrived, and for more than
/// 5 GiB at S3.</param>
/// <param name="Multipart">Where POST begins an upload in parts; null as above, once it has arrived, and where the
/// staging is a folder.</param>
public sealed record UploadFile(
    string Name, long Bytes, string Sha256, long Records, bool Received, string? Content, UploadLink? Link, string? Multipart);

/// <summary>What can be done next with a batch that is being uploaded. Addresses are absolute.</summary>
/// <param name="Self">These uploads, with fresh links.</param>
/// <param name="Batch">The batch.</param>
/// <param name="Export">The export that represents it.</param>
/// <param name="Publish">Where POST publishes it; null once it has ended.</param>
/// <param name="Cancel">Where DELETE cancels it, or revokes it once it is ready.</param>
public sealed record UploadLinks(string Self, string Batch, string Export, string? Publish, string Cancel);

/// <summary>A batch that is being uploaded, as <c>GET /v1/batches/{batchId}/uploads</c> answers it.</summary>
public sealed record UploadBatch
{
    /// <summary>The batch.</summary>
    public required BatchId BatchId { get; init; }

    /// <summary>The export that represents it: <c>open</c> until it is published, then as any other.</summary>
    public required ExportId ExportId { get; init; }

    /// <summary>One of <see cref="ExportState"/>.</summary>
    public required string State { get; init; }

    /// <summary>When it is cancelled unless it was published by then.</summary>
    public required DateTimeOffset OpenUntil { get; init; }

    /// <summary>When it was published, or null.</summary>
    public DateTimeOffset? PublishedAt { get; init; }

    /// <summary>The files.</summary>
    public required IReadOnlyList<UploadFile> Files { get; init; }

    /// <summary>What can be done next.</summary>
    public required UploadLinks Links { get; init; }
}

/// <summary>One part of a file.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Link">The link to send it to.</param>
public sealed record UploadPart(int Number, long Bytes, UploadLink Link);

/// <summary>An upload in parts: send each, in any order and as often as needed, then POST to <see cref="Complete"/>.</summary>
/// <param name="PartBytes">The size of each part but the last.</param>
/// <param name="Parts">The parts.</param>
/// <param name="Complete">Where POST puts them together.</param>
public sealed record MultipartUpload(long PartBytes, IReadOnlyList<UploadPart> Parts, string Complete);
