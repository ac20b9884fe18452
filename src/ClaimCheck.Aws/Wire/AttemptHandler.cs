namespace ClaimCheck.Aws.Wire;

/// <summary>
/// One attempt, to the answer's last byte: Core reads bodies without a deadline and ignores cancellation, so a
/// server that stalls in the middle of one would block a thread for ever.
/// </summary>
internal sealed class AttemptHandler(TimeSpan timeout, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    public static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(20);

    // Ten messages of 1 MiB are the most that is requested, and JSON may escape each byte as six.
    private const int MaxBytes = 64 << 20;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var target = request.Headers.TryGetValues("X-Amz-Target", out var targets) ? targets.FirstOrDefault() : null;
        var limit = target == "AmazonSQS.ReceiveMessage" ? timeout + LongPoll : timeout;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(limit);
        HttpResponseMessage? response = null;
        try
        {
            response = await base.SendAsync(request, deadline.Token);
            await response.Content.LoadIntoBufferAsync(MaxBytes, deadline.Token);
            if (target == "AmazonSQS.ReceiveMessage" && response.IsSuccessStatusCode
                && SqsAnswers.FaultOf(await response.Content.ReadAsByteArrayAsync(deadline.Token)) is { } fault)
            {
                // With the status 200, Core's retry policy treats this as an answer that was damaged in transit.
                throw new AmazonUnmarshallingException(
                    requestId: "", lastKnownLocation: "", new UnreadableException(fault), HttpStatusCode.OK);
            }

            return response;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            response?.Dispose();
            // The connect timeout arrives here as well. Core's retry policy looks for an inner IOException.
            throw new HttpRequestException(
                HttpRequestError.ConnectionError, "No answer.",
                new IOException(
                    deadline.IsCancellationRequested ? $"no complete answer came within {limit}." : "connecting took too long.",
                    e));
        }
        catch
        {
            response?.Dispose();
            throw;
        }
    }
}
