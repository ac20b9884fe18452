using Amazon.S3;
using Amazon.S3.Model;

namespace ClaimCheck.Service.Staging;

/// <summary>Splits a stream into the parts of an upload, and sends several of them at a time. Memory is bounded: each writer
/// fills one buffer while all of the process send at most <see cref="StagingOptions.ParallelParts"/>; a writer that is ahead
/// waits.</summary>
internal sealed class S3Writer(
    S3Connection connection,
    S3Failures failures,
    PartBuffers buffers,
    StagedMultipartUpload upload,
    Func<StagedMultipartUpload, CancellationToken, Task> abortAsync) : StagedWriter(upload)
{
    private const int SmallBuffer = 64 << 10; // manifests and indexes are small
    private static readonly TimeSpan AbortTimeout = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource stop = new();
    private readonly List<Task<PartETag>> parts = [];
    private byte[] buffer = [];
    private int filled;
    private long bytes;
    private bool completed;
    private bool disposed;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            if (filled > SmallBuffer && filled == buffer.Length)
                await SendAsync(cancellationToken);
            if (filled == buffer.Length)
                Grow();
            var some = Math.Min(bytes.Length, buffer.Length - filled);
            bytes.Span[..some].CopyTo(buffer.AsSpan(filled));
            filled += some;
            bytes = bytes[some..];
        }
    }

    public override async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (filled > 0 || parts.Count == 0) // an empty object is one empty part
            await SendAsync(cancellationToken);
        var tags = await AllPartsAsync(cancellationToken);
        var request = new CompleteMultipartUploadRequest
        {
            BucketName = connection.Bucket,
            Key = Upload.Key,
            UploadId = Upload.UploadId,
            PartETags = [.. tags],
        };
        try
        {
            var answer = await connection.Client.CompleteMultipartUploadAsync(request, cancellationToken);
            completed = !string.IsNullOrEmpty(answer.ETag);
            if (!completed && !await IsThereAsync(cancellationToken)) // Ceph's answer has no ETag
                throw new StagingException(
                    $"S3 answered that {Upload.Key} is complete, but the whole object is not there.", isTransient: true);
        }
        catch (Exception e) when (S3Failures.IsFailure(e, cancellationToken))
        {
            // The answer may have been lost: then S3 has the object, and does not know the upload.
            if (!await IsThereAsync(cancellationToken))
                throw failures.Explain(e, $"complete {Upload.Key}");
        }
        completed = true;
    }

    public override async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
        await stop.CancelAsync();
        // None may be under way when the upload is aborted, or S3 would keep it as an orphan. Their failures were reported
        // already.
        await Task.WhenAll(parts).ContinueWith(static _ => { }, TaskScheduler.Default);
        Return(buffer);
        buffer = [];
        stop.Dispose();
        if (completed)
            return;
        using var soon = new CancellationTokenSource(AbortTimeout);
        try
        {
            await abortAsync(Upload, soon.Token);
        }
        catch (Exception e) when (e is StagingException or OperationCanceledException)
        {
            // The upload is recorded in the catalog: the sweep aborts it again. The original failure matters more.
        }
    }

    private void Grow()
    {
        var larger = parts.Count == 0 && filled == 0 ? ArrayPool<byte>.Shared.Rent(SmallBuffer) : buffers.Rent();
        buffer.AsSpan(0, filled).CopyTo(larger);
        Return(buffer);
        buffer = larger;
    }

    private void Return(byte[] unused)
    {
        if (unused.Length == SmallBuffer)
            ArrayPool<byte>.Shared.Return(unused);
        else if (unused.Length > 0)
            buffers.Return(unused);
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        await buffers.BeginPartAsync(cancellationToken);
        if (parts.Find(part => part.IsFaulted || part.IsCanceled) is { } failed)
        {
            buffers.EndPart();
            await failed; // the rest need not be sent
        }
        parts.Add(UploadAsync(parts.Count + 1, buffer, filled));
        bytes += filled;
        (buffer, filled) = ([], 0);
    }

    private async Task<PartETag> UploadAsync(int number, byte[] part, int length)
    {
        try
        {
            using var body = new MemoryStream(part, 0, length, writable: false);
            var answer = await connection.Client.UploadPartAsync(
                new UploadPartRequest
                {
                    BucketName = connection.Bucket,
                    Key = Upload.Key,
                    UploadId = Upload.UploadId,
                    PartNumber = number,
                    PartSize = length,
                    InputStream = body,
                },
                stop.Token);
            // Only now: a request that failed may still be reading from it.
            Return(part);
            return new PartETag(number, answer.ETag);
        }
        catch (Exception e) when (S3Failures.IsFailure(e, stop.Token))
        {
            throw failures.Explain(e, $"store part {number} of {Upload.Key}");
        }
        finally
        {
            buffers.EndPart();
        }
    }

    private async Task<PartETag[]> AllPartsAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await Task.WhenAll(parts).WaitAsync(cancellationToken);
        }
        catch (StagingException)
        {
            await stop.CancelAsync();
            throw;
        }
    }

    // Size and mark: an earlier object under the same key (a manifest is written again) must not be mistaken for this one.
    private async Task<bool> IsThereAsync(CancellationToken cancellationToken)
    {
        try
        {
            var found = await connection.Client.GetObjectMetadataAsync(
                new GetObjectMetadataRequest { BucketName = connection.Bucket, Key = Upload.Key }, cancellationToken);
            return found.ContentLength == bytes && Upload.Mark is { } mark && found.Metadata[S3Staging.MarkMetadata] == mark;
        }
        catch (AmazonS3Exception missing) when (missing.StatusCode is System.Net.HttpStatusCode.NotFound)
        {
            return false;
        }
        catch (Exception e) when (S3Failures.IsFailure(e, cancellationToken))
        {
            throw failures.Explain(e, $"look whether {Upload.Key} is complete");
        }
    }
}
