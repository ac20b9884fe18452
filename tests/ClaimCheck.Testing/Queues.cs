using System.Globalization;
using Amazon.SQS;
using Amazon.SQS.Model;
using ClaimCheck.Aws;

namespace ClaimCheck.Testing;

/// <summary>What tests ask of a queue, in a line each.</summary>
internal static class Queues
{
    public static async Task<string> SendAsync(this IAmazonSQS sqs, string queueUrl, OutgoingMessage message) =>
        (await sqs.SendMessageAsync(new SendMessageRequest(queueUrl, message.Body)
        {
            MessageAttributes = message.Attributes.ToDictionary(
                attribute => attribute.Key,
                attribute => new MessageAttributeValue { DataType = "String", StringValue = attribute.Value }),
            MessageGroupId = message.GroupId,
            MessageDeduplicationId = message.DeduplicationId,
        })).MessageId;

    /// <summary>Waits up to 20 seconds where <paramref name="wait"/> is left out.</summary>
    public static async Task<IReadOnlyList<Message>> ReceiveAsync(
        this IAmazonSQS sqs, string queueUrl, int maxMessages = 10, TimeSpan? wait = null, TimeSpan? visibility = null,
        CancellationToken cancellationToken = default) =>
        (await sqs.ReceiveMessageAsync(
            new ReceiveMessageRequest(queueUrl)
            {
                MaxNumberOfMessages = maxMessages,
                WaitTimeSeconds = (int)Math.Ceiling((wait ?? Sqs.MaxWait).TotalSeconds),
                VisibilityTimeout = visibility is { } hidden ? (int)hidden.TotalSeconds : null,
                MessageAttributeNames = ["All"],
                MessageSystemAttributeNames = ["All"],
            },
            cancellationToken)).Messages ?? [];

    /// <summary>Deletes up to ten messages; fails where one is not deleted.</summary>
    public static async Task DeleteAsync(
        this IAmazonSQS sqs, string queueUrl, IEnumerable<Message> messages, CancellationToken cancellationToken = default)
    {
        var entries = messages.Select(message => new DeleteMessageBatchRequestEntry(message.MessageId, message.ReceiptHandle))
            .ToList();
        var answer = await sqs.DeleteMessageBatchAsync(queueUrl, entries, cancellationToken);
        if (answer.Failed is { Count: > 0 } failed)
            throw new InvalidOperationException($"Not deleted: {string.Join(", ", failed.Select(entry => entry.Code))}");
    }

    /// <summary>Lets a message be handed out again at once.</summary>
    public static Task ReleaseAsync(this IAmazonSQS sqs, string queueUrl, Message message) =>
        sqs.ChangeMessageVisibilityAsync(queueUrl, message.ReceiptHandle, 0);

    /// <summary>All attributes of a queue.</summary>
    public static async Task<Dictionary<string, string>> AttributesAsync(this IAmazonSQS sqs, string queueUrl) =>
        (await sqs.GetQueueAttributesAsync(queueUrl, ["All"])).Attributes ?? [];

    /// <returns>The new queue's URL.</returns>
    public static async Task<string> CreateAsync(
        this IAmazonSQS sqs, string name, Dictionary<string, string>? attributes = null,
        CancellationToken cancellationToken = default) =>
        (await sqs.CreateQueueAsync(new CreateQueueRequest(name) { Attributes = attributes }, cancellationToken)).QueueUrl;

    /// <summary>The attributes that were sent with it.</summary>
    public static Dictionary<string, string> Texts(this Message message) =>
        (message.MessageAttributes ?? []).ToDictionary(attribute => attribute.Key, attribute => attribute.Value.StringValue);

    public static int ReceiveCount(this Message message) =>
        int.Parse(message.Attributes["ApproximateReceiveCount"], CultureInfo.InvariantCulture);
}
