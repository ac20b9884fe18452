using ClaimCheck.Service.Publishing.Webhooks;

namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>Reads the body of <c>POST /v1/subscriptions</c>; collects what is wrong with each field.</summary>
internal sealed class SubscriptionReader(
    DatasetCatalog datasets, WebhookAddresses addresses, SubscriptionOptions options, PublishingOptions publishing)
{
    /// <returns>The subscription, or the refusal.</returns>
    public async Task<(NewSubscription? Subscription, Refused? Refusal)> ReadAsync(
        Caller caller, JsonElement body, CancellationToken cancellationToken)
    {
        var fields = new FieldReader(body);
        var consumer = fields.Text("consumer", required: true);
        if (consumer is not null && !Caller.IsConsumer(consumer))
            fields.Fail("consumer", "Must be up to 64 letters, digits, dots, dashes and underscores.");
        else if (consumer is not null && !caller.ActsForAll && consumer != caller.Name)
            fields.Fail("consumer", $"Must be {caller.Name}, the caller itself.");
        var wantedDatasets = List(fields, "datasets", name => datasets.Find(name) is not null,
            "Must be names of datasets; GET /v1/datasets lists them.");
        var types = List(fields, "types", name => EventTypes.All.Contains(name, StringComparer.Ordinal),
            $"Must be of {string.Join(", ", EventTypes.All)}.");
        var protocol = fields.Text("protocol", required: true);
        if (protocol is not null and not (SubscriptionProtocol.Sqs or SubscriptionProtocol.Webhook))
            fields.Fail("protocol", "Must be one of sqs, webhook.");
        var endpoint = fields.Text("endpoint", required: true);
        var contentType = ContentType(fields, protocol);
        fields.RefuseOthers();

        string[] warnings = [];
        if (protocol == SubscriptionProtocol.Sqs)
        {
            if (publishing.TopicArn is not { Length: > 0 })
                return (null,
                    fields.Errors.Count > 0 ? Refused.Invalid(fields.Errors) : new Refused(ProblemCodes.TopicNotConfigured));
            if (endpoint is not null)
                CheckQueue(endpoint, fields);
            if (consumer is not null && TopicFilter.Combinations(wantedDatasets, types) > TopicFilter.MostCombinations)
            {
                fields.Fail(
                    wantedDatasets is not null ? "datasets" : "types",
                    $"Datasets times types times 2 must be {TopicFilter.MostCombinations} or less, SNS's limit: leave one out "
                    + "for all, or make two subscriptions of two queues.");
            }
        }
        else if (protocol == SubscriptionProtocol.Webhook && endpoint is not null)
        {
            (var normal, warnings, var error) = await addresses.CheckAsync(endpoint, cancellationToken);
            if (error is not null)
                fields.Fail("endpoint", error);
            endpoint = normal;
        }

        return fields.Errors.Count > 0
            ? (null, Refused.Invalid(fields.Errors))
            : (new(consumer!, wantedDatasets, types, protocol!, endpoint!, contentType, TopicOf(protocol), warnings), null);
    }

    private string? TopicOf(string? protocol) => protocol == SubscriptionProtocol.Sqs ? publishing.TopicArn : null;

    private void CheckQueue(string endpoint, FieldReader fields)
    {
        var topic = publishing.TopicArn!.Split(':');
        if (!QueueArn.TryParse(endpoint, out var queue) || queue.Partition != topic[1])
        {
            fields.Fail("endpoint", $"Must be a queue's ARN, arn:{topic[1]}:sqs:region:account:name.");
            return;
        }

        var accounts = options.Accounts.Count > 0 ? options.Accounts : [topic[4]];
        if (!accounts.Contains(queue.Account, StringComparer.Ordinal))
            fields.Fail(
                "endpoint", "Is of an account that is not on the operator's list (ClaimCheck:Subscriptions:AllowedAccounts).");
        else if (!topic[5].EndsWith(".fifo", StringComparison.Ordinal) && queue.Name.EndsWith(".fifo", StringComparison.Ordinal))
            fields.Fail("endpoint", "Must not be a FIFO queue: the topic is not a FIFO topic.");
    }

    // Null is the default, also where it is given explicitly: both are the same subscription.
    private static string? ContentType(FieldReader fields, string? protocol)
    {
        if (fields.Take("contentType") is not { } value)
            return null;
        if (protocol == SubscriptionProtocol.Sqs)
            fields.Fail("contentType", "Is for webhooks: a queue's messages have none.");
        else if (value.ValueKind != JsonValueKind.String
            || !WebhookContentType.All.Contains(value.GetString(), StringComparer.Ordinal))
            fields.Fail("contentType", $"Must be one of {string.Join(", ", WebhookContentType.All)}; the body is the same.");
        else if (value.GetString() is var chosen && chosen != WebhookContentType.Default)
            return chosen;
        return null;
    }

    // Left out or null means all; an empty list would mean none, which makes no sense.
    private static string[]? List(FieldReader fields, string field, Func<string, bool> isKnown, string rule)
    {
        if (fields.Take(field) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() is 0 or > 1000)
        {
            fields.Fail(field, "Must be a list of 1 to 1000 names, or left out for all.");
            return null;
        }

        if (value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String || !isKnown(item.GetString()!)))
        {
            fields.Fail(field, rule);
            return null;
        }

        return [.. value.EnumerateArray().Select(item => item.GetString()!).Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)];
    }
}
