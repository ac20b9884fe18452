using ClaimCheck.Aws;
using ClaimCheck.Aws.SimpleNotificationService;

namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>The outcome of a try to bring SNS to the state of the catalog.</summary>
internal enum Settling
{
    /// <summary>SNS has the state of the catalog, or had it already.</summary>
    Done,

    /// <summary>Another process is working on it, or SNS could not be reached: it is tried again.</summary>
    Later,

    /// <summary>SNS refuses it.</summary>
    Refused,

    /// <summary>SNS has a subscription of that queue that this service did not create.</summary>
    Taken,
}

/// <summary>Brings SNS to the state that the catalog has for a queue's subscription. The row comes first: a process that dies
/// between the two leaves one that is pending or deleting, and <see cref="SubscriptionWorker"/> continues with it. One process at
/// a time works on a row, under a token; its calls to SNS are safe to repeat.</summary>
internal sealed partial class TopicSubscriptions(
    NpgsqlDataSource catalog, AmazonSimpleNotificationServiceClient sns, QueueWarnings warnings, SubscriptionOptions options,
    ILogger<TopicSubscriptions> logger)
{
    // Ends well before SubscriptionStore.Lease does, so that nothing reaches SNS after another process has taken over.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    /// <summary>Leases the row, if it is free, and settles it.</summary>
    public async Task<Settling> SettleAsync(SubscriptionId id, bool deleteIfRefused, CancellationToken cancellationToken)
    {
        var token = Guid.NewGuid();
        var row = await catalog.QuerySingleOrDefaultAsync<SubscriptionRow>(
            $"""
            UPDATE event_subscriptions
               SET lease_token = @token, lease_until = now() + @Lease, next_try_at = now() + @Lease
             WHERE id = @Id AND state IN ('pending', 'deleting') AND (lease_until IS NULL OR lease_until <= now())
            RETURNING {SubscriptionRow.Columns}
            """,
            new { token, Id = id.Value, SubscriptionStore.Lease },
            cancellationToken);
        if (row is not null)
            return await SettleAsync(row, token, deleteIfRefused, cancellationToken);
        var now = await catalog.QuerySingleOrDefaultAsync<SubscriptionRow>(
            $"SELECT {SubscriptionRow.Columns} FROM event_subscriptions WHERE id = @Id",
            new { Id = id.Value },
            cancellationToken);
        return now?.State switch
        {
            null or SubscriptionState.Active => Settling.Done,
            SubscriptionState.Disabled => Settling.Refused,
            _ => Settling.Later,
        };
    }

    /// <summary>Settles a row that was leased with this token.</summary>
    public async Task<Settling> SettleAsync(
        SubscriptionRow row, Guid token, bool deleteIfRefused, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            await (row.State == SubscriptionState.Pending
                ? SubscribeAsync(row, token, limit.Token)
                : UnsubscribeAsync(row, token, limit.Token));
            return Settling.Done;
        }
        catch (AwsMessagingException e)
            when (e.Kind is AwsFailure.Invalid or AwsFailure.NotFound && row.State == SubscriptionState.Pending)
        {
            Log.Refused(logger, row.SubscriptionId, e.Message);
            await RefuseAsync(row, token, e.Code, deleteIfRefused, cancellationToken);
            return e.Message.Contains("already exists", StringComparison.Ordinal) ? Settling.Taken : Settling.Refused;
        }
        catch (Exception e)
            when (e is AwsMessagingException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            Log.Later(logger, row.SubscriptionId, e.Message);
            await PostponeAsync(row, token, cancellationToken);
            return Settling.Later;
        }
    }

    private async Task SubscribeAsync(SubscriptionRow row, Guid token, CancellationToken cancellationToken)
    {
        var attributes = new Dictionary<string, string>
        {
            ["RawMessageDelivery"] = "true",
            ["FilterPolicy"] = JsonSerializer.Serialize(TopicFilter.Of(row)),
        };
        if (options.DeadLetterQueueArn is { } deadLetterTargetArn)
            attributes["RedrivePolicy"] = JsonSerializer.Serialize(new { deadLetterTargetArn });
        var request = new SubscribeRequest
        {
            TopicArn = row.Topic!,
            Protocol = "sqs",
            Endpoint = row.Endpoint,
            Attributes = attributes,
            ReturnSubscriptionArn = true,
        };
        var arn = (await sns.SubscribeAsync(request, cancellationToken)).SubscriptionArn;
        var told = await warnings.ReadAsync(row, arn, cancellationToken);
        // Deleted meanwhile: it is ended by the name that SNS gave it.
        await catalog.ExecuteAsync(
            """
            UPDATE event_subscriptions
               SET subscription_arn = @arn, warnings = @told, lease_token = NULL, lease_until = NULL, tries = 0,
                   next_try_at = CASE state WHEN 'pending' THEN NULL ELSE now() END,
                   state = CASE state WHEN 'pending' THEN 'active' ELSE state END
             WHERE id = @Id AND lease_token = @token
            """,
            new { row.Id, token, arn, told },
            cancellationToken);
        Log.Subscribed(logger, row.SubscriptionId, row.Consumer);
    }

    private async Task UnsubscribeAsync(SubscriptionRow row, Guid token, CancellationToken cancellationToken)
    {
        if ((row.SubscriptionArn ?? await SearchAsync(row, cancellationToken)) is { } arn)
        {
            try
            {
                await sns.UnsubscribeAsync(arn, cancellationToken);
            }
            catch (AwsMessagingException e) when (e.Kind is AwsFailure.NotFound or AwsFailure.Invalid)
            {
                // It is gone, or its queue's owner never confirmed it: then SNS removes it by itself.
            }
        }

        await catalog.ExecuteAsync(
            "DELETE FROM event_subscriptions WHERE id = @Id AND lease_token = @token", new { row.Id, token }, cancellationToken);
        Log.Unsubscribed(logger, row.SubscriptionId, row.Consumer);
    }

    // SNS may have accepted it although its answer was lost. A subscription that others made of the same queue has another
    // filter.
    private async Task<string?> SearchAsync(SubscriptionRow row, CancellationToken cancellationToken)
    {
        var mine = JsonSerializer.SerializeToElement(TopicFilter.Of(row));
        string? next = null;
        try
        {
            do
            {
                var page = await sns.ListSubscriptionsByTopicAsync(row.Topic!, next, cancellationToken);
                if (page.Subscriptions.Find(item => item.Protocol == "sqs" && item.Endpoint == row.Endpoint) is { } found)
                {
                    var answer = await sns.GetSubscriptionAttributesAsync(found.SubscriptionArn, cancellationToken);
                    return IsMine(answer.Attributes.GetValueOrDefault("FilterPolicy"), mine) ? found.SubscriptionArn : null;
                }

                next = page.NextToken;
            }
            while (next is not null);
        }
        catch (AwsMessagingException e) when (e.Kind is AwsFailure.NotFound or AwsFailure.Invalid)
        {
            // The topic is gone, and its subscriptions with it; or the subscription found has no ARN yet.
        }

        return null;
    }

    private static bool IsMine(string? policy, JsonElement mine)
    {
        try
        {
            return policy is not null && JsonElement.DeepEquals(JsonElement.Parse(policy), mine);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private Task RefuseAsync(SubscriptionRow row, Guid token, string code, bool delete, CancellationToken cancellationToken) =>
        delete
            ? catalog.ExecuteAsync(
                "DELETE FROM event_subscriptions WHERE id = @Id AND lease_token = @token",
                new { row.Id, token },
                cancellationToken)
            : catalog.ExecuteAsync(
                """
                WITH deleted AS (
                    DELETE FROM event_subscriptions WHERE id = @Id AND lease_token = @token AND state = 'deleting'
                )
                UPDATE event_subscriptions
                   SET state = 'disabled', disabled_at = now(), reason = @Reason, lease_token = NULL,
                       lease_until = NULL, next_try_at = NULL
                 WHERE id = @Id AND lease_token = @token AND state = 'pending'
                """,
                new { row.Id, token, Reason = $"SNS refused it: {code}." },
                cancellationToken);

    // Doubles, up to five minutes.
    private Task PostponeAsync(SubscriptionRow row, Guid token, CancellationToken cancellationToken) =>
        catalog.ExecuteAsync(
            """
            UPDATE event_subscriptions
               SET lease_token = NULL, lease_until = NULL, tries = tries + 1,
                   next_try_at = now() + least(@LongestWait, interval '1 second' * power(2, least(tries, 20)))
             WHERE id = @Id AND lease_token = @token
            """,
            new { row.Id, token, LongestWait },
            cancellationToken);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Subscription {SubscriptionId} of {Consumer} is active: SNS has accepted it.")]
        public static partial void Subscribed(ILogger logger, SubscriptionId subscriptionId, string consumer);

        [LoggerMessage(LogLevel.Information, "Subscription {SubscriptionId} of {Consumer} is deleted, at SNS too.")]
        public static partial void Unsubscribed(ILogger logger, SubscriptionId subscriptionId, string consumer);

        [LoggerMessage(LogLevel.Warning, "Subscription {SubscriptionId} is refused by SNS: {Reason}")]
        public static partial void Refused(ILogger logger, SubscriptionId subscriptionId, string reason);

        [LoggerMessage(LogLevel.Warning, "Subscription {SubscriptionId} waits for SNS: {Reason}")]
        public static partial void Later(ILogger logger, SubscriptionId subscriptionId, string reason);
    }
}
