using Amazon.SQS;
using Amazon.SQS.Model;
using ClaimCheck.Aws.SimpleNotificationService;

namespace ClaimCheck.Demo.Stage;

/// <summary>A topic, and a queue subscribed to it, with a dead letter queue.</summary>
internal sealed record TopicAndQueue(string TopicArn, string QueueUrl, string DeadLetterUrl)
{
    public static async Task<TopicAndQueue> CreateAsync(
        AmazonSimpleNotificationServiceClient sns, IAmazonSQS sqs, string name, CancellationToken cancellationToken)
    {
        var topicArn = (await sns.CreateTopicAsync(new CreateTopicRequest { Name = name }, cancellationToken)).TopicArn;
        var deadLetterUrl = (await sqs.CreateQueueAsync($"{name}-dead", cancellationToken)).QueueUrl;
        var deadLetterArn = await ArnAsync(sqs, deadLetterUrl, cancellationToken);
        var queueUrl = (await sqs.CreateQueueAsync(new CreateQueueRequest(name)
        {
            Attributes = new()
            {
                ["VisibilityTimeout"] = "60",
                ["RedrivePolicy"] = JsonSerializer.Serialize(new { deadLetterTargetArn = deadLetterArn, maxReceiveCount = 5 }),
            },
        }, cancellationToken)).QueueUrl;
        var queueArn = await ArnAsync(sqs, queueUrl, cancellationToken);
        await sqs.SetQueueAttributesAsync(
            queueUrl, new Dictionary<string, string> { ["Policy"] = PolicyFor(queueArn, topicArn) }, cancellationToken);
        var subscription = new SubscribeRequest
        {
            TopicArn = topicArn,
            Protocol = "sqs",
            Endpoint = queueArn,
            Attributes = new() { ["RawMessageDelivery"] = "true" },
        };
        await sns.SubscribeAsync(subscription, cancellationToken);
        return new TopicAndQueue(topicArn, queueUrl, deadLetterUrl);
    }

    public async Task DeleteAsync(AmazonSimpleNotificationServiceClient sns, IAmazonSQS sqs, CancellationToken cancellationToken)
    {
        await sns.DeleteTopicAsync(TopicArn, cancellationToken); // its subscriptions are deleted with it
        await sqs.DeleteQueueAsync(QueueUrl, cancellationToken);
        await sqs.DeleteQueueAsync(DeadLetterUrl, cancellationToken);
    }

    private static async Task<string> ArnAsync(IAmazonSQS sqs, string queueUrl, CancellationToken cancellationToken) =>
        (await sqs.GetQueueAttributesAsync(queueUrl, ["QueueArn"], cancellationToken)).Attributes["QueueArn"];

    private static string PolicyFor(string queueArn, string topicArn) => JsonSerializer.Serialize(new
    {
        Version = "2012-10-17",
        Statement = new[]
        {
            new
            {
                Effect = "Allow",
                Principal = new { Service = "sns.amazonaws.com" },
                Action = "sqs:SendMessage",
                Resource = queueArn,
                Condition = new { ArnEquals = new Dictionary<string, string> { ["aws:SourceArn"] = topicArn } },
            },
        },
    });
}
