using Amazon.SQS;
using Amazon.SQS.Model;
using ClaimCheck.Aws;
using ClaimCheck.Aws.SimpleNotificationService;

namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>Warnings about a queue for the operator: above all that it, or its dead letter queue, keeps messages longer than
/// files are kept.</summary>
internal sealed class QueueWarnings(AmazonSimpleNotificationServiceClient sns, Func<IAmazonSQS> sqs, DatasetCatalog datasets)
{
    /// <returns>Sentences, including one for each check that was not possible, with its reason.</returns>
    public async Task<string[]> ReadAsync(
        SubscriptionRow subscription, string subscriptionArn, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        var queue = QueueArn.TryParse(subscription.Endpoint, out var arn)
            ? arn
            : throw new InvalidOperationException("The endpoint is not a queue.");
        await WarnOfConfirmationAsync(subscriptionArn, found, cancellationToken);
        if (await AttributesAsync("The queue", queue, subscription.Topic!, found, cancellationToken) is not { } attributes)
            return [.. found];

        var kept = Retention(attributes);
        WarnOfRetention("The queue", kept, subscription, found);
        if (DeadLetterQueue(attributes) is not { } dead)
        {
            found.Add("The queue has no redrive policy: a message that its consumer can't handle comes back "
                + "until the queue forgets it.");
            return [.. found];
        }

        if (!QueueArn.TryParse(dead, out var deadQueue)
            || await AttributesAsync("The queue's dead letter queue", deadQueue, subscription.Topic!, found, cancellationToken)
                is not { } deadAttributes)
        {
            return [.. found];
        }

        var keptDead = Retention(deadAttributes);
        WarnOfRetention("The queue's dead letter queue", keptDead, subscription, found);
        if (keptDead <= kept)
        {
            found.Add(
                $"The queue's dead letter queue keeps messages for {Text(keptDead)}, the queue for {Text(kept)}: a message's " +
                "time counts from when it was sent, so that one which arrives there late is soon gone. Let "
                + "it keep them for longer.");
        }

        return [.. found];
    }

    private void WarnOfRetention(string what, TimeSpan kept, SubscriptionRow subscription, List<string> found)
    {
        var shorter = datasets.Current.All.Select(defined => defined.Definition).OfType<Dataset>()
            .Where(dataset =>
                subscription.Datasets?.Contains(dataset.Name, StringComparer.Ordinal) != false && dataset.Retention < kept)
            .Select(dataset => $"{dataset.Name} {Text(dataset.Retention)}")
            .ToList();
        if (shorter.Count > 0)
        {
            found.Add(
                $"{what} keeps messages for {Text(kept)}, longer than files are kept " +
                $"({string.Join(", ", shorter.Take(10))}{(shorter.Count > 10 ? ", …" : "")}): a message that is read late leads "
                + "to a batch that has expired.");
        }
    }

    private async Task WarnOfConfirmationAsync(string subscriptionArn, List<string> found, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await sns.GetSubscriptionAttributesAsync(subscriptionArn, cancellationToken);
            if (answer.Attributes.GetValueOrDefault("PendingConfirmation") == "true")
                found.Add("SNS waits for the queue's owner to confirm the subscription: until then nothing is delivered.");
        }
        catch (AwsMessagingException e)
        {
            found.Add($"Whether the queue's owner must confirm the subscription could not be checked ({e.Code}).");
        }
    }

    private async Task<IReadOnlyDictionary<string, string>?> AttributesAsync(
        string what, QueueArn queue, string topic, List<string> found, CancellationToken cancellationToken)
    {
        // The client is for one region, the topic's.
        var reason = queue.Region != topic.Split(':')[3] ? "it is in another region" : null;
        try
        {
            if (reason is null)
            {
                var named = new GetQueueUrlRequest(queue.Name) { QueueOwnerAWSAccountId = queue.Account };
                var url = (await sqs().GetQueueUrlAsync(named, cancellationToken)).QueueUrl;
                return (await sqs().GetQueueAttributesAsync(url, ["All"], cancellationToken)).Attributes ?? [];
            }
        }
        catch (AwsMessagingException e)
        {
            reason = e.Code;
        }

        found.Add($"{what} could not be looked at ({reason}): see that it keeps messages for no longer than files are kept.");
        return null;
    }

    // Four days are SQS's default.
    private static TimeSpan Retention(IReadOnlyDictionary<string, string> attributes) =>
        int.TryParse(attributes.GetValueOrDefault("MessageRetentionPeriod"), NumberStyles.None, CultureInfo.InvariantCulture,
            out var seconds)
            ? TimeSpan.FromSeconds(seconds)
            : TimeSpan.FromDays(4);

    private static string? DeadLetterQueue(IReadOnlyDictionary<string, string> attributes)
    {
        try
        {
            return attributes.GetValueOrDefault("RedrivePolicy") is { Length: > 0 } policy
                && JsonElement.Parse(policy) is { ValueKind: JsonValueKind.Object } parsed
                && parsed.TryGetProperty("deadLetterTargetArn", out var target)
                ? target.GetString()
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string Text(TimeSpan time) => Contracts.IsoDuration.Format(time);
}
