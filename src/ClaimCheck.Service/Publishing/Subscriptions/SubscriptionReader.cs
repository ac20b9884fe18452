using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Http.Access;
using ClaimCheck.Service.Publishing.Webhooks;

namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>Reads the body of <c>POST /v1/subscriptions</c>; collects what is wrong with each field.</summary>
internal sealed class SubscriptionReader(
    DatasetCatalog datasets, WebhookAddresses addresses, SubscriptionOptions options, PublishingOptions publishing)
{
    private static readonly string[] Fields = ["consumer", "datasets", "types", "protocol", "endpoint", "contentType"];

    /// <returns>The subscription, or the refusal.</returns>
    public async Task<(NewSubscription? Subscription, Refused? Refusal)> ReadAsync(Caller caller, JsonElement body, CancellationToken cancellationToken)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var consumer = Text(body, "consumer", errors);
        if (consumer is not null && !Caller.IsConsumer(consumer))
            errors["consumer"] = ["Must be up to 64 letters, digits, dots, dashes and underscores."];
        else if (consumer is not null && !caller.ActsForAll && consumer != caller.Name)
            errors["consumer"] = [$"Must be {caller.Name}, the caller itself."];
        var wantedDatasets = List(body, "datasets", name => datasets.Find(name) is not null, "Must be names of datasets; GET /v1/datasets lists them.", errors);
        var types = List(body, "types", name => EventTypes.All.Contains(name, StringComparer.Ordinal), $"Must be of {string.Join(", ", EventTypes.All)}.", errors);
        var protocol = Text(body, "protocol", errors);
        if (protocol is not null and not (SubscriptionProtocol.Sqs or SubscriptionProtocol.Webhook))
            errors["protocol"] = ["Must be one of sqs, webhook."];
        var endpoint = Text(body, "endpoint", errors);
        var contentType = ContentType(body, protocol, errors);
        foreach (var property in body.EnumerateObject().Where(property => !Fields.Contains(property.Name, StringComparer.Ordinal)))
            errors[property.Name] = [NearestName.NotAField(property.Name, Fields)];

        string[] warnings = [];
        if (protocol == SubscriptionProtocol.Sqs)
        {
            if (publishing.TopicArn is not { Length: > 0 })
                return (null, errors.Count > 0 ? Refused.Invalid(errors) : new Refused(ProblemCodes.TopicNotConfigured));
            if (endpoint is not null)
                CheckQueue(endpoint, errors);
            if (consumer is not null && TopicFilter.Combinations(wantedDatasets, types) > TopicFilter.MostCombinations)
            {
                errors[wantedDatasets is not null ? "datasets" : "types"] =
                    [$"Datasets times types times 2 must be {TopicFilter.MostCombinations} or less, SNS's limit: leave one out for all, or make two subscriptions of two queues."];
            }
        }
        else if (protocol == SubscriptionProtocol.Webhook && endpoint is not null)
        {
            (var normal, warnings, var error) = await addresses.CheckAsync(endpoint, cancellationToken);
            if (error is not null)
                errors["endpoint"] = [error];
            endpoint = normal;
        }

        return errors.Count > 0
            ? (null, Refused.Invalid(errors))
            : (new()
            {
                Consumer = consumer!,
                Datasets = wantedDatasets,
                Types = types,
                Protocol = protocol!,
                Endpoint = endpoint!,
                ContentType = contentType,
                Topic = protocol == SubscriptionProtocol.Sqs ? publishing.TopicArn : null,
                Warnings = warnings,
            }, null);
    }

    private void CheckQueue(string endpoint, Dictionary<string, string[]> errors)
    {
        var topic = publishing.TopicArn!.Split(':');
        if (!QueueArn.TryParse(endpoint, out var queue) || queue.Partition != topic[1])
        {
            errors["endpoint"] = [$"Must be a queue's ARN, arn:{topic[1]}:sqs:region:account:name."];
            return;
        }

        var accounts = options.Accounts.Count > 0 ? options.Accounts : [topic[4]];
        if (!accounts.Contains(queue.Account, StringComparer.Ordinal))
            errors["endpoint"] = ["Is of an account that is not on the operator's list (ClaimCheck:Subscriptions:AllowedAccounts)."];
        else if (!topic[5].EndsWith(".fifo", StringComparison.Ordinal) && queue.Name.EndsWith(".fifo", StringComparison.Ordinal))
            errors["endpoint"] = ["Must not be a FIFO queue: the topic is not a FIFO topic."];
    }

    // Null is the default, also where it is given explicitly: both are the same subscription.
    private static string? ContentType(JsonElement body, string? protocol, Dictionary<string, string[]> errors)
    {
        if (!body.TryGetProperty("contentType", out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        if (protocol == SubscriptionProtocol.Sqs)
            errors["contentType"] = ["Is for webhooks: a queue's messages have none."];
        else if (value.ValueKind != JsonValueKind.String || !WebhookContentType.All.Contains(value.GetString(), StringComparer.Ordinal))
            errors["contentType"] = [$"Must be one of {string.Join(", ", WebhookContentType.All)}; the body is the same."];
        else if (value.GetString() is var chosen && chosen != WebhookContentType.Default)
            return chosen;
        return null;
    }

    private static string? Text(JsonElement body, string field, Dictionary<string, string[]> errors)
    {
        if (!body.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null)
            errors[field] = ["Must be given."];
        else if (value.ValueKind != JsonValueKind.String)
            errors[field] = ["Must be text."];
        else
            return value.GetString();
        return null;
    }

    // Left out or null means all; an empty list would mean none, which makes no sense.
    private static string[]? List(JsonElement body, string field, Func<string, bool> isKnown, string rule, Dictionary<string, string[]> errors)
    {
        if (!body.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() is 0 or > 1000)
        {
            errors[field] = ["Must be a list of 1 to 1000 names, or left out for all."];
            return null;
        }

        if (value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String || !isKnown(item.GetString()!)))
        {
            errors[field] = [rule];
            return null;
        }

        return [.. value.EnumerateArray().Select(item => item.GetString()!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }
}
