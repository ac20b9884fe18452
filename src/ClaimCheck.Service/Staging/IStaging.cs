namespace ClaimCheck.Service.Staging;

/// <summary>Where a batch's objects are kept until its retention ends: an S3 bucket or a local folder. Keys are
/// <c>batches/{batchId}/{attempt}/part-00001.csv.gz</c> and the like; see <see cref="StagingKeys"/>. Every object is created by
/// an upload whose id is recorded in the catalog before its first byte (by <see cref="MultipartUploads"/>), so that aborting the
/// upload makes a late completion impossible. Failures are <see cref="StagingException"/>.</summary>
internal interface IStaging
{
    /// <summary>Opens an upload: nothing is stored yet, and nothing will be visible under the key until it is
    /// completed.</summary>
    Task<StagedMultipartUpload> BeginAsync(string key, StagedContent content, CancellationToken cancellationToken);

    /// <summary>A writer that streams into an open upload. The caller disposes it; if disposed before completion, it aborts the
    /// upload.</summary>
    StagedWriter OpenWriter(StagedMultipartUpload upload);

    /// <summary>Aborts an upload and makes sure that it is gone. Completing it afterwards fails. Unknown uploads count as
    /// gone.</summary>
    /// <returns>True where it was still open.</returns>
    Task<bool> AbortAsync(StagedMultipartUpload upload, CancellationToken cancellationToken);

    /// <summary>Unfinished uploads below a prefix, recorded or not.</summary>
    IAsyncEnumerable<StagedMultipartUpload> ListUploadsAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Every object below a prefix, with every version and delete marker as an entry of its own.</summary>
    IAsyncEnumerable<StagedObject> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Deletes objects permanently. Objects that are gone already are not an error; a refusal is a
    /// <see cref="StagingException"/>.</summary>
    Task DeleteAsync(IReadOnlyCollection<StagedObject> objects, CancellationToken cancellationToken);

    /// <summary>Reads a range of bytes of an object. The caller disposes the stream.</summary>
    /// <exception cref="StagingException">With <see cref="StagingException.IsMissing"/> where the object does not
    /// exist.</exception>
    Task<Stream> OpenReadAsync(string key, long offset, long length, CancellationToken cancellationToken);

    /// <summary>Signs a request for one object. Only <c>Links.LinkMinter</c> calls this.</summary>
    /// <param name="key">The object; it need not exist yet.</param>
    /// <param name="lifetime">More than zero, at most 7 days; a credential that ends earlier shortens it.</param>
    /// <param name="audience">Whether the link is for consumers, or for the service's own probes.</param>
    /// <param name="method">GET, or HEAD: S3 accepts a link only for the method that was signed.</param>
    /// <param name="cancellationToken">Fetching a credential may take a while.</param>
    Task<SignedLink> SignAsync(
        string key, TimeSpan lifetime, LinkAudience audience, string method, CancellationToken cancellationToken);

    /// <summary>Throws where the staging can't be used at all: no bucket, no permission, Object Lock, no space.</summary>
    Task CheckAsync(CancellationToken cancellationToken);
}

/// <summary>Who a link is signed for: consumers use the public endpoint, probes the service's own.</summary>
internal enum LinkAudience
{
    Consumer,
    Probe,
}

/// <summary>An open upload.</summary>
internal sealed record StagedMultipartUpload(string Key, string UploadId)
{
    /// <summary>In S3, the mark in its object's metadata; null where another process began it.</summary>
    public string? Mark { get; init; }

    // The mark does not identify an upload.
    public bool Equals(StagedMultipartUpload? other) => other is not null && Key == other.Key && UploadId == other.UploadId;

    public override int GetHashCode() => HashCode.Combine(Key, UploadId);
}

/// <summary>An object, or one version or delete marker of it.</summary>
internal sealed record StagedObject(string Key, string? VersionId, long Bytes);

/// <summary>The headers of an object for its readers.</summary>
internal sealed record StagedContent(string ContentType, string FileName)
{
    public static StagedContent Json(string fileName) => new("application/json", fileName);

    /// <summary>For an existing file, by its name.</summary>
    public static StagedContent Of(string fileName) => new(
        fileName switch
        {
            _ when fileName.EndsWith(".gz", StringComparison.Ordinal) => "application/gzip",
            _ when fileName.EndsWith(".csv", StringComparison.Ordinal) => "text/csv",
            _ when fileName.EndsWith(".ndjson", StringComparison.Ordinal) => "application/x-ndjson",
            _ when fileName.EndsWith(".json", StringComparison.Ordinal) => "application/json",
            _ => "application/octet-stream",
        },
        fileName);
}

/// <summary>A link and the moment it expires: the earlier of the signature's and the credential's end.</summary>
internal sealed record SignedLink(Link Link, DateTimeOffset ExpiresAt);

/// <summary>Streams one object into its upload. Bytes are copied before a call returns; memory is bounded by
/// pooled part buffers.</summary>
internal abstract class StagedWriter(StagedMultipartUpload upload) : IAsyncDisposable
{
    /// <summary>The upload it writes to.</summary>
    public StagedMultipartUpload Upload { get; } = upload;

    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Makes the complete object visible. Fails where the upload was aborted meanwhile.</summary>
    public abstract Task CompleteAsync(CancellationToken cancellationToken);

    /// <summary>Aborts the upload, on a token of its own, unless it was completed.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>Staging refused or could not be reached. The message names keys, never links.</summary>
internal sealed class StagingException(string message, bool isTransient, bool isMissing = false, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>True where trying again may succeed.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>True where the object or upload does not exist.</summary>
    public bool IsMissing { get; } = isMissing;
}
