using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// Sends one object: in one request where it fits into a part, else part by part, with one part in memory at a time. Each request
/// states the SHA-256 of its body in one piece, which S3 compares on arrival, and refuses where it differs.
/// </summary>
internal sealed class S3Upload(IAmazonS3 s3, LocationOptions options, string key, StatedFile file)
{
    private const int MaxParts = 10_000;
    private static readonly TimeSpan AbortTimeout = TimeSpan.FromSeconds(30);

    // 10,000 parts must hold the file.
    private readonly int partBytes = (int)Math.Clamp((file.Bytes / MaxParts) + 1, options.PartBytes, 1 << 30);

    public async Task SendAsync(Stream source, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(partBytes, Math.Max(1, file.Bytes)));
        try
        {
            if (file.Bytes <= partBytes)
                await SendAtOnceAsync(source, buffer, cancellationToken);
            else
                await SendPartsAsync(source, buffer, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public static async Task AbortAsync(
        IAmazonS3 s3, string bucket, string key, string uploadId, CancellationToken cancellationToken)
    {
        try
        {
            await s3.AbortMultipartUploadAsync(bucket, key, uploadId, cancellationToken);
        }
        catch (AmazonServiceException e) when (S3Failure.IsMissingUpload(e))
        {
            // It was completed or aborted by another process.
        }
    }

    private async Task SendAtOnceAsync(Stream source, byte[] buffer, CancellationToken cancellationToken)
    {
        var read = await source.ReadAtLeastAsync(
            buffer.AsMemory(0, (int)file.Bytes), (int)file.Bytes, throwOnEndOfStream: false, cancellationToken);
        Digests.Check(file.Path, read == file.Bytes && await IsAtEndAsync(source, cancellationToken),
            SHA256.HashData(buffer.AsSpan(0, read)), file.Sha256);
        using var body = new MemoryStream(buffer, 0, read, writable: false);
        var request = new PutObjectRequest
        {
            BucketName = options.Bucket,
            Key = key,
            InputStream = body,
            AutoCloseStream = false,
            UseChunkEncoding = false,
            ContentType = "application/octet-stream",
            ServerSideEncryptionMethod = options.ServerSideEncryption,
            ServerSideEncryptionKeyManagementServiceKeyId = options.KmsKeyId,
        };
        request.Metadata[S3Location.Sha256Metadata] = Convert.ToHexStringLower(file.Sha256.Span);
        await s3.PutObjectAsync(request, cancellationToken);
    }

    private async Task SendPartsAsync(Stream source, byte[] buffer, CancellationToken cancellationToken)
    {
        var begin = new InitiateMultipartUploadRequest
        {
            BucketName = options.Bucket,
            Key = key,
            ContentType = "application/octet-stream",
            ServerSideEncryptionMethod = options.ServerSideEncryption,
            ServerSideEncryptionKeyManagementServiceKeyId = options.KmsKeyId,
        };
        begin.Metadata[S3Location.Sha256Metadata] = Convert.ToHexStringLower(file.Sha256.Span);
        var upload = (await s3.InitiateMultipartUploadAsync(begin, cancellationToken)).UploadId;
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var tags = new List<PartETag>();
            long sent = 0;
            while (sent < file.Bytes)
            {
                var wanted = (int)Math.Min(partBytes, file.Bytes - sent);
                var read = await source.ReadAtLeastAsync(
                    buffer.AsMemory(0, wanted), wanted, throwOnEndOfStream: false, cancellationToken);
                if (read < wanted)
                    break;
                hash.AppendData(buffer, 0, read);
                tags.Add(await SendPartAsync(upload, tags.Count + 1, buffer, read, cancellationToken));
                sent += read;
            }
            // Only verified uploads are completed, and only completed ones are visible.
            Digests.Check(file.Path, sent == file.Bytes && await IsAtEndAsync(source, cancellationToken),
                hash.GetHashAndReset(), file.Sha256);
            await s3.CompleteMultipartUploadAsync(
                new CompleteMultipartUploadRequest
                {
                    BucketName = options.Bucket,
                    Key = key,
                    UploadId = upload,
                    PartETags = tags,
                },
                cancellationToken);
        }
        catch
        {
            await TryAbortAsync(upload);
            throw;
        }
    }

    private async Task<PartETag> SendPartAsync(
        string upload, int number, byte[] buffer, int length, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream(buffer, 0, length, writable: false);
        var answer = await s3.UploadPartAsync(
            new UploadPartRequest
            {
                BucketName = options.Bucket,
                Key = key,
                UploadId = upload,
                PartNumber = number,
                PartSize = length,
                InputStream = body,
                UseChunkEncoding = false,
            },
            cancellationToken);
        return new PartETag(number, answer.ETag);
    }

    private async Task TryAbortAsync(string upload)
    {
        using var soon = new CancellationTokenSource(AbortTimeout);
        try
        {
            await AbortAsync(s3, options.Bucket!, key, upload, soon.Token);
        }
        catch (Exception e) when (S3Access.IsFailure(e, CancellationToken.None))
        {
            // Left to the clean-up; the original failure matters more.
        }
    }

    private static async Task<bool> IsAtEndAsync(Stream source, CancellationToken cancellationToken) =>
        await source.ReadAsync(new byte[1], cancellationToken) == 0;
}

/// <summary>A file to be written, with its expected length and checksum.</summary>
/// <param name="Path">Where it goes.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Its checksum.</param>
internal sealed record StatedFile(string Path, long Bytes, ReadOnlyMemory<byte> Sha256);
