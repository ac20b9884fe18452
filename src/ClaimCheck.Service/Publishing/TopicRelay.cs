using ClaimCheck.Aws;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Hosting;
using ClaimCheck.Service.Staging;
using Dapper;
using Npgsql;

namespace ClaimCheck.Service.Publishing;

/// <summary>
/// Carries the feed on to an SNS topic, in the order of its places, one relay at a time. It remembers how far it is after SNS has
/// answered: an event whose answer was lost goes out again, under the same id. While SNS is away the feed grows, and drains later.
/// </summary>
internal sealed partial class TopicRelay(
    NpgsqlDataSource catalog, SnsClient sns, TopicMessages messages, CatalogSignals signals, PublishingOptions options, ILogger<TopicRelay> logger)
    : BackgroundService
{
    // "clchtopc" as bytes: any constant that nothing else in the catalog locks.
    private const long AdvisoryLock = 0x636c6368746f7063;
    private const int AtOnce = 10; // PublishBatch's limit
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private readonly string topic = options.TopicArn ?? throw new InvalidOperationException("There is no topic to relay to.");

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(
            nameof(TopicRelay), token => Exclusive.RunAsync(catalog, AdvisoryLock, RelayAsync, logger, token), logger, stoppingToken);

    private async Task RelayAsync(NpgsqlConnection connection, CancellationToken stoppingToken)
    {
        using var signal = signals.Listen(CatalogSignals.Feed);
        var position = await PositionAsync(connection, stoppingToken);
        var failures = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            var rows = await NextAsync(connection, position, stoppingToken);
            if (rows.Count == 0)
            {
                await signal.WaitAsync(LookAgain, stoppingToken);
                continue;
            }

            try
            {
                await PublishAsync(rows, stoppingToken);
                failures = 0;
            }
            catch (Exception e) when (e is AwsMessagingException or StagingException)
            {
                // Nothing behind it goes first: the order is kept. Doubles, up to half a minute, with some chance in it.
                var wait = TimeSpan.FromMilliseconds(Math.Min(LongestWait.TotalMilliseconds, 250 * Math.Pow(2, Math.Min(failures++, 10))));
                Log.Waiting(logger, rows.Count, wait, e.Message);
                await Task.Delay(wait * (0.5 + (Random.Shared.NextDouble() / 2)), stoppingToken);
                continue;
            }

            position = rows[^1].Position;
            await MoveAsync(connection, position, stoppingToken);
        }
    }

    // Sends them all, those that a first answer refused again. What SNS will never take is left out, loudly.
    private async Task PublishAsync(IReadOnlyList<OutboxEvent> rows, CancellationToken cancellationToken)
    {
        var waiting = new List<(OutboxEvent Row, OutgoingMessage Message)>(rows.Count);
        foreach (var row in rows)
        {
            if (await messages.MakeAsync(row, cancellationToken) is { } message)
                waiting.Add((row, message));
            else
                Log.Superseded(logger, row.Type, row.Subject);
        }

        if (waiting.Count == 0)
            return;
        var outcomes = await sns.PublishBatchAsync(topic, [.. waiting.Select(item => item.Message)], cancellationToken);
        AwsMessagingException? again = null;
        foreach (var (item, outcome) in waiting.Zip(outcomes))
        {
            if (outcome.Succeeded)
                Log.Published(logger, item.Row.Type, new Contracts.EventId(item.Row.EventId), item.Row.Subject);
            else if (outcome.Failure!.Kind == AwsFailure.Invalid)
                Log.Refused(logger, item.Row.Type, new Contracts.EventId(item.Row.EventId), outcome.Failure.Message);
            else
                again = outcome.Failure;
        }

        if (again is not null)
            throw again; // those that went out go out again, under their ids: at least once
    }

    // Events of one batch or job never share a call: SNS keeps no order within one.
    private static async Task<IReadOnlyList<OutboxEvent>> NextAsync(NpgsqlConnection connection, long position, CancellationToken cancellationToken)
    {
        var rows = (await connection.QueryAsync<OutboxEvent>(new CommandDefinition(
            $"SELECT {OutboxEvent.Columns} FROM outbox WHERE position > @position ORDER BY position LIMIT @AtOnce",
            new { position, AtOnce },
            cancellationToken: cancellationToken))).AsList();
        var seen = new HashSet<Guid>();
        return [.. rows.TakeWhile(row => seen.Add(row.BatchId ?? row.JobId!.Value))];
    }

    // A topic that is new to the catalog gets what comes from now on, not the feed's whole past.
    private async Task<long> PositionAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.ExecuteScalarAsync<long>(new CommandDefinition(
            """
            INSERT INTO relays (name, position)
            SELECT @topic, head FROM feed
            ON CONFLICT (name) DO UPDATE SET name = excluded.name
            RETURNING position
            """,
            new { topic },
            cancellationToken: cancellationToken));

    private Task MoveAsync(NpgsqlConnection connection, long position, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(new CommandDefinition(
            "UPDATE relays SET position = @position, moved_at = now() WHERE name = @topic",
            new { topic, position },
            cancellationToken: cancellationToken));

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Type} {EventId} of {Subject} is published to the topic.")]
        public static partial void Published(ILogger logger, string type, Contracts.EventId eventId, string subject);

        [LoggerMessage(LogLevel.Information, "{Type} of {Subject} is not sent to the topic: the batch is no longer ready.")]
        public static partial void Superseded(ILogger logger, string type, string subject);

        [LoggerMessage(LogLevel.Error, "{Type} {EventId} is not sent: the topic does not take it. {Reason}")]
        public static partial void Refused(ILogger logger, string type, Contracts.EventId eventId, string reason);

        [LoggerMessage(LogLevel.Warning, "{Count} events wait for the topic, for {Wait}: {Reason}")]
        public static partial void Waiting(ILogger logger, int count, TimeSpan wait, string reason);
    }
}
