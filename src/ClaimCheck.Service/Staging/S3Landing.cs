using Amazon.S3;
using Amazon.S3.Model;

namespace ClaimCheck.Service.Staging;

/// <summary>The landing of a bucket: producers write to S3 itself.</summary>
internal sealed class S3Landing(S3Connection connection) : ILanding
{
    private readonly S3Failures failures = new(connection.Bucket);
    private readonly S3Signer signer = new(connection);

    public bool TakesParts => true;

    public Task<SignedLink> SignPutAsync(string key, TimeSpan lifetime, CancellationToken cancellationToken) =>
        throw new NotSupportedException("A PUT of a whole object can't be revoked: only parts of recorded uploads are signed.");

    public Task<SignedLink> SignPartAsync(
        StagedMultipartUpload upload, int partNumber, long bytes, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        LinkLifetime.Check(lifetime);
        return failures.ExplainedAsync(
            () => signer.SignPartAsync(upload, partNumber, bytes, lifetime, cancellationToken),
            $"sign a link for {upload.Key}",
            cancellationToken);
    }

    public async Task<IReadOnlyDictionary<int, long>> PartsAsync(
        StagedMultipartUpload upload, CancellationToken cancellationToken) =>
        (await ListAsync(upload, cancellationToken)).ToDictionary(part => part.PartNumber!.Value, part => part.Size ?? 0);

    public async Task CompleteAsync(StagedMultipartUpload upload, int parts, CancellationToken cancellationToken)
    {
        var arrived = await ListAsync(upload, cancellationToken);
        await failures.ExplainedAsync(
            () => connection.Client.CompleteMultipartUploadAsync(
                new CompleteMultipartUploadRequest
                {
                    BucketName = connection.Bucket,
                    Key = upload.Key,
                    UploadId = upload.UploadId,
                    PartETags = [.. arrived.Where(part => part.PartNumber <= parts)
                        .Select(part => new PartETag(part.PartNumber!.Value, part.ETag))],
                },
                cancellationToken),
            $"complete {upload.Key}",
            cancellationToken);
    }

    public async Task<long?> SizeAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return (await connection.Client.GetObjectMetadataAsync(
                new GetObjectMetadataRequest { BucketName = connection.Bucket, Key = key }, cancellationToken)).ContentLength;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
        catch (Exception e) when (S3Failures.IsFailure(e, cancellationToken))
        {
            throw failures.Explain(e, $"look at {key}");
        }
    }

    private async Task<List<PartDetail>> ListAsync(StagedMultipartUpload upload, CancellationToken cancellationToken)
    {
        var request = new ListPartsRequest { BucketName = connection.Bucket, Key = upload.Key, UploadId = upload.UploadId };
        var parts = new List<PartDetail>();
        ListPartsResponse page;
        do
        {
            page = await failures.ExplainedAsync(
                () => connection.Client.ListPartsAsync(request, cancellationToken),
                $"list the parts of {upload.Key}",
                cancellationToken);
            parts.AddRange(page.Parts ?? []);
            request.PartNumberMarker = page.NextPartNumberMarker?.ToString();
        }
        while (page.IsTruncated == true);
        return parts;
    }
}
