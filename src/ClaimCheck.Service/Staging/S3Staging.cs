using Amazon.S3;
using Amazon.S3.Model;
using ClaimCheck.Aws;

namespace ClaimCheck.Service.Staging;

/// <summary>Staging in a bucket of S3, or of a server with the same protocol.</summary>
internal sealed class S3Staging(S3Connection connection, StagingOptions options, ILogger<S3Staging> logger) : IStaging
{
    /// <summary>Distinguishes the objects of different uploads under the same key; ETags would need MD5, and are not that
    /// everywhere.</summary>
    internal const string MarkMetadata = "x-amz-meta-claimcheck-upload";

    private const int DeletedAtOnce = 1_000; // S3's limit

    private readonly S3Failures failures = new(connection.Bucket);
    private readonly S3Signer signer = new(connection);
    private readonly PartBuffers buffers = new(options);
    private volatile bool hasNoVersions;

    /// <summary>What its writers share.</summary>
    public PartBuffers Buffers => buffers;

    private IAmazonS3 S3 => connection.Client;

    public async Task<StagedMultipartUpload> BeginAsync(string key, StagedContent content, CancellationToken cancellationToken)
    {
        var request =
            new InitiateMultipartUploadRequest { BucketName = connection.Bucket, Key = key, ContentType = content.ContentType };
        // No Content-Encoding: a gzip file stays compressed, or clients would decompress it on the way and ranges would not
        // match.
        request.Headers.ContentDisposition = $"attachment; filename=\"{content.FileName}\"";
        var mark = Guid.NewGuid().ToString("N");
        request.Metadata[MarkMetadata] = mark;
        if (options.ServerSideEncryption is { } encryption)
        {
            request.ServerSideEncryptionMethod = ServerSideEncryptionMethod.FindValue(encryption);
            request.ServerSideEncryptionKeyManagementServiceKeyId = options.KmsKeyId;
        }

        var answer = await failures.ExplainedAsync(
            () => S3.InitiateMultipartUploadAsync(request, cancellationToken), $"begin {key}", cancellationToken);
        return new StagedMultipartUpload(key, answer.UploadId) { Mark = mark };
    }

    public StagedWriter OpenWriter(StagedMultipartUpload upload) =>
        new S3Writer(connection, failures, buffers, upload, AbortAsync);

    public async Task<bool> AbortAsync(StagedMultipartUpload upload, CancellationToken cancellationToken)
    {
        // A part that is under way may still be stored after an abort, and some servers answer an abort before it has taken
        // effect everywhere: the abort is done when S3 does not know the upload.
        var wasOpen = false;
        for (var tries = 1; ; tries++)
        {
            try
            {
                await S3.AbortMultipartUploadAsync(
                    new AbortMultipartUploadRequest
                    {
                        BucketName = connection.Bucket,
                        Key = upload.Key,
                        UploadId = upload.UploadId,
                    },
                    cancellationToken);
                wasOpen = true;
                await S3.ListPartsAsync(
                    new ListPartsRequest
                    {
                        BucketName = connection.Bucket,
                        Key = upload.Key,
                        UploadId = upload.UploadId,
                        MaxParts = 1,
                    },
                    cancellationToken);
            }
            catch (AmazonS3Exception gone) when (S3Failure.IsMissingUpload(gone))
            {
                return wasOpen;
            }
            catch (Exception e) when (S3Failures.IsFailure(e, cancellationToken))
            {
                throw failures.Explain(e, $"abort the upload of {upload.Key}");
            }

            if (tries == 8)
                throw new StagingException($"S3 still lists the upload of {upload.Key} after {tries} aborts.", isTransient: true);
            await Task.Delay(TimeSpan.FromMilliseconds(50 << tries), cancellationToken);
        }
    }

    public async IAsyncEnumerable<StagedMultipartUpload> ListUploadsAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListMultipartUploadsRequest { BucketName = connection.Bucket, Prefix = prefix };
        ListMultipartUploadsResponse page;
        do
        {
            page = await failures.ExplainedAsync(
                () => S3.ListMultipartUploadsAsync(request, cancellationToken),
                $"list the uploads of {prefix}",
                cancellationToken);
            foreach (var upload in page.MultipartUploads ?? [])
                yield return new StagedMultipartUpload(upload.Key, upload.UploadId);
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
        while (page.IsTruncated == true);
    }

    public async IAsyncEnumerable<StagedObject> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListVersionsRequest { BucketName = connection.Bucket, Prefix = prefix };
        for (ListVersionsResponse? page = null; !hasNoVersions && page is not { IsTruncated: not true };)
        {
            page = await failures.ExplainedAsync(
                () => ListVersionsAsync(request, cancellationToken), $"list {prefix}", cancellationToken);
            foreach (var version in page?.Versions ?? [])
                yield return new StagedObject(version.Key, version.VersionId, version.Size ?? 0);
            (request.KeyMarker, request.VersionIdMarker) = (page?.NextKeyMarker, page?.NextVersionIdMarker);
        }

        if (hasNoVersions)
        {
            await foreach (var found in ListObjectsAsync(prefix, cancellationToken))
                yield return found;
        }
    }

    public async Task DeleteAsync(IReadOnlyCollection<StagedObject> objects, CancellationToken cancellationToken)
    {
        foreach (var some in objects.Chunk(DeletedAtOnce))
        {
            var request = new DeleteObjectsRequest
            {
                BucketName = connection.Bucket,
                Quiet = true,
                Objects = [.. some.Select(item => new KeyVersion { Key = item.Key, VersionId = item.VersionId })],
            };
            try
            {
                await S3.DeleteObjectsAsync(request, cancellationToken);
            }
            catch (DeleteObjectsException e)
            {
                var refused = e.Response.DeleteErrors.Where(error => error.Code is not ("NoSuchKey" or "NoSuchVersion")).ToList();
                if (refused.Count > 0)
                {
                    throw new StagingException(
                        $"S3 refused to delete {refused.Count} of {some.Length} objects in bucket {connection.Bucket}, " +
                        $"the first one {refused[0].Key}: {refused[0].Code}.",
                        isTransient: true);
                }
            }
            catch (Exception e) when (S3Failures.IsFailure(e, cancellationToken))
            {
                throw failures.Explain(e, $"delete {some[0].Key} and {some.Length - 1} others");
            }
        }
    }

    public async Task<Stream> OpenReadAsync(string key, long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length == 0) // the range does not exist
            return Stream.Null;
        var request = new GetObjectRequest
        {
            BucketName = connection.Bucket,
            Key = key,
            ByteRange = new ByteRange(offset, offset + length - 1),
        };
        var answer = await failures.ExplainedAsync(
            () => S3.GetObjectAsync(request, cancellationToken), $"read {key}", cancellationToken);
        return new S3ReadStream(answer, failures, connection.StallTimeout);
    }

    public Task<SignedLink> SignAsync(
        string key, TimeSpan lifetime, LinkAudience audience, string method, CancellationToken cancellationToken)
    {
        LinkLifetime.Check(lifetime);
        return failures.ExplainedAsync(
            () => signer.SignAsync(key, lifetime, audience, method, cancellationToken),
            $"sign a link for {key}",
            cancellationToken);
    }

    public Task CheckAsync(CancellationToken cancellationToken) =>
        new S3Check(connection, failures, logger).RunAsync(cancellationToken);

    private async IAsyncEnumerable<StagedObject> ListObjectsAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request { BucketName = connection.Bucket, Prefix = prefix };
        ListObjectsV2Response page;
        do
        {
            page = await failures.ExplainedAsync(
                () => S3.ListObjectsV2Async(request, cancellationToken), $"list {prefix}", cancellationToken);
            foreach (var found in page.S3Objects ?? [])
                yield return new StagedObject(found.Key, VersionId: null, found.Size ?? 0);
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true);
    }

    /// <returns>Null where the server has no versions.</returns>
    private async Task<ListVersionsResponse?> ListVersionsAsync(ListVersionsRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await S3.ListVersionsAsync(request, cancellationToken);
        }
        catch (AmazonS3Exception e) when (S3Failures.IsNotOffered(e))
        {
            hasNoVersions = true;
            return null;
        }
    }
}
