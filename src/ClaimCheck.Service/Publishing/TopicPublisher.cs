using ClaimCheck.Aws;
using ClaimCheck.Aws.SimpleNotificationService;
using ClaimCheck.Aws.Wire;

namespace ClaimCheck.Service.Publishing;

/// <summary>Publishes events to the SNS topic, as many with one call as it takes, and says of each that did
/// not go out why.</summary>
internal sealed partial class TopicPublisher(
    AmazonSimpleNotificationServiceClient sns, TopicMessages messages, PublishingOptions options, ILogger<TopicPublisher> logger)
{
    // The limits of one call to SNS. https://docs.aws.amazon.com/general/latest/gr/sns.html
    private const int MaxCallBytes = 256 << 10;

    /// <returns>Those that were not sent, each with its reason.</returns>
    /// <exception cref="AwsMessagingException">The topic accepts nothing now.</exception>
    public async Task<IReadOnlyList<Unsent>> PublishAsync(IReadOnlyList<OutboxEvent> rows, CancellationToken cancellationToken)
    {
        var unsent = new List<Unsent>();
        var made = new List<(OutboxEvent Row, PublishBatchRequestEntry Message)>(rows.Count);
        foreach (var row in rows)
        {
            try
            {
                if (await messages.MakeAsync(row, cancellationToken) is { } message)
                    made.Add((row, message));
                else
                    Log.Superseded(logger, row.Type, row.Subject);
            }
            catch (StagingException e)
            {
                Log.Postponed(logger, row.Type, new(row.EventId), row.Subject, e.Message);
                unsent.Add(new(row, e.Message, IsTerminal: false));
            }
            catch (Exception e) when (CatalogErrors.IsOfOneItem(e))
            {
                Log.Broken(logger, Defect.Of(e), row.Type, new(row.EventId), row.Subject);
                unsent.Add(new(row, $"An unexpected {e.GetType().Name} prevented it.", IsTerminal: false));
            }
        }

        foreach (var some in Calls(made))
            unsent.AddRange(await SendAsync(some, cancellationToken));
        return unsent;
    }

    // As many as one call takes, by count and by bytes.
    private static IEnumerable<List<(OutboxEvent Row, PublishBatchRequestEntry Message)>> Calls(
        IEnumerable<(OutboxEvent Row, PublishBatchRequestEntry Message)> made)
    {
        var (some, bytes) = (new List<(OutboxEvent, PublishBatchRequestEntry)>(), 0);
        foreach (var item in made)
        {
            var size = TopicMessages.SizeOf(item.Message);
            if (some.Count > 0 && bytes + size > MaxCallBytes)
            {
                yield return some;
                (some, bytes) = ([], 0);
            }

            some.Add(item);
            bytes += size;
        }

        if (some.Count > 0)
            yield return some;
    }

    private async Task<IReadOnlyList<Unsent>> SendAsync(
        List<(OutboxEvent Row, PublishBatchRequestEntry Message)> some, CancellationToken cancellationToken)
    {
        PublishBatchResponse answer;
        try
        {
            var request = new PublishBatchRequest
            {
                TopicArn = options.TopicArn!,
                PublishBatchRequestEntries = [.. some.Select(item => item.Message)],
            };
            answer = await sns.PublishBatchAsync(request, cancellationToken);
        }
        catch (AwsMessagingException e) when (e.Kind == AwsFailure.Invalid)
        {
            if (some is [var (row, _)])
                return [Refused(row, e.Message)];
            // One of them makes the call fail: each is sent by itself.
            var apart = new List<Unsent>();
            foreach (var item in some)
                apart.AddRange(await SendAsync([item], cancellationToken));
            return apart;
        }

        var unsent = new List<Unsent>();
        foreach (var (row, message) in some)
        {
            if (answer.Successful.Exists(entry => entry.Id == message.Id))
            {
                Log.Published(logger, row.Type, new(row.EventId), row.Subject);
                continue;
            }

            // An entry that is missing in the answer may have been sent or not: it is sent again, under the same id.
            var failed = answer.Failed.Find(entry => entry.Id == message.Id);
            var reason = failed is null ? "SNS's answer does not contain it." : $"SNS says {failed.Code ?? "no code"}.";
            if (failed is not null && Failures.KindOf(failed.Code, failed.SenderFault) == AwsFailure.Invalid)
            {
                unsent.Add(Refused(row, reason));
            }
            else
            {
                Log.Postponed(logger, row.Type, new(row.EventId), row.Subject, reason);
                unsent.Add(new(row, reason, IsTerminal: false));
            }
        }

        return unsent;
    }

    private Unsent Refused(OutboxEvent row, string reason)
    {
        Log.Refused(logger, row.Type, new(row.EventId), row.Subject, reason);
        return new(row, reason, IsTerminal: true);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Type} {EventId} of {Subject} is published to the topic.")]
        public static partial void Published(ILogger logger, string type, EventId eventId, string subject);

        [LoggerMessage(LogLevel.Information, "{Type} of {Subject} is not sent to the topic: its batch has ended.")]
        public static partial void Superseded(ILogger logger, string type, string subject);

        [LoggerMessage(LogLevel.Error, "{Type} {EventId} of {Subject} is set aside: the topic will never accept it. {Reason}")]
        public static partial void Refused(ILogger logger, string type, EventId eventId, string subject, string reason);

        [LoggerMessage(LogLevel.Error,
            "{Type} {EventId} of {Subject} can't be sent to the topic; it is tried again, and those of other batches continue.")]
        public static partial void Broken(ILogger logger, Exception exception, string type, EventId eventId, string subject);

        [LoggerMessage(LogLevel.Warning,
            "{Type} {EventId} of {Subject} can't be sent to the topic yet, and those of other batches continue: {Reason}")]
        public static partial void Postponed(ILogger logger, string type, EventId eventId, string subject, string reason);
    }
}
