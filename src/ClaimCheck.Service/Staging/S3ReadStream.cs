using Amazon.S3.Model;

namespace ClaimCheck.Service.Staging;

/// <summary>The body of an answer from S3: gives up when it stalls, and explains what interrupts it.</summary>
internal sealed class S3ReadStream(GetObjectResponse answer, S3Failures failures, TimeSpan stallTimeout) : ForwardStream
{
    private readonly Stream body = answer.ResponseStream;
    private CancellationTokenSource? stalled;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        stalled ??= new CancellationTokenSource();
        stalled.CancelAfter(stallTimeout);
        await using var _ = cancellationToken.UnsafeRegister(
            static source => ((CancellationTokenSource)source!).Cancel(), stalled);
        try
        {
            return await body.ReadAsync(buffer, stalled.Token);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception e) when (S3Failures.IsFailure(e, cancellationToken))
        {
            throw failures.Explain(e, $"continue reading {answer.Key}");
        }
        finally
        {
            stalled.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            answer.Dispose(); // closes the connection where the body was not read to its end
            stalled?.Dispose();
        }
        base.Dispose(disposing);
    }
}
