using System.Globalization;
using Amazon.SQS;
using Amazon.SQS.Model;

namespace ClaimCheck.Consumer.Listening;

/// <summary>A queue, and the calls that a listener makes: for up to ten messages at a time, as SQS allows.</summary>
/// <param name="sqs">Created at each call until it succeeds: without a region the client can't be created, and the next call
/// tries again.</param>
/// <param name="url">The queue.</param>
internal sealed class ListenedQueue(Func<IAmazonSQS> sqs, string url)
{
    public const int AtOnce = 10;

    public string Name => url[(url.LastIndexOf('/') + 1)..];

    /// <returns>None up to <paramref name="max"/>, hidden from others for <paramref name="visibility"/>.</returns>
    /// <exception cref="AwsMessagingException">It failed, even after retries.</exception>
    public async Task<IReadOnlyList<Message>> ReceiveAsync(
        int max, TimeSpan wait, TimeSpan visibility, CancellationToken cancellationToken)
    {
        var answer = await sqs().ReceiveMessageAsync(
            new ReceiveMessageRequest
            {
                QueueUrl = url,
                MaxNumberOfMessages = Math.Min(max, AtOnce),
                WaitTimeSeconds = Seconds(wait),
                VisibilityTimeout = Seconds(visibility),
                MessageAttributeNames = ["All"],
                MessageSystemAttributeNames = ["ApproximateReceiveCount"],
            },
            cancellationToken);
        return answer.Messages ?? [];
    }

    /// <returns>SQS's code for each message that could not be deleted.</returns>
    /// <exception cref="AwsMessagingException">It failed, even after retries.</exception>
    public async Task<IReadOnlyList<string>> DeleteAsync(IReadOnlyList<string> handles, CancellationToken cancellationToken)
    {
        var answer = await sqs().DeleteMessageBatchAsync(
            new DeleteMessageBatchRequest
            {
                QueueUrl = url,
                Entries = [.. handles.Select((handle, index) => new DeleteMessageBatchRequestEntry(Id(index), handle))],
            },
            cancellationToken);
        return Codes(answer.Failed);
    }

    /// <summary>Changes how long messages stay hidden, counted from now.</summary>
    /// <returns>SQS's code for each message that could not be changed.</returns>
    /// <exception cref="AwsMessagingException">It failed, even after retries.</exception>
    public async Task<IReadOnlyList<string>> HideAsync(
        IReadOnlyList<string> handles, TimeSpan visibility, CancellationToken cancellationToken)
    {
        var answer = await sqs().ChangeMessageVisibilityBatchAsync(
            new ChangeMessageVisibilityBatchRequest
            {
                QueueUrl = url,
                Entries = [.. handles.Select((handle, index) =>
                    new ChangeMessageVisibilityBatchRequestEntry(Id(index), handle) { VisibilityTimeout = Seconds(visibility) })],
            },
            cancellationToken);
        return Codes(answer.Failed);
    }

    /// <returns>How often a message was received, this time included; 1 where the server does not say.</returns>
    public static int ReceiveCount(Message message) =>
        message.Attributes?.GetValueOrDefault("ApproximateReceiveCount") is { } text
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 1;

    // Never its message: it may quote a handle.
    private static List<string> Codes(List<BatchResultErrorEntry>? failed) =>
        [.. (failed ?? []).Select(entry => entry.Code ?? "no code")];

    private static string Id(int index) => index.ToString(CultureInfo.InvariantCulture);

    private static int Seconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);
}
