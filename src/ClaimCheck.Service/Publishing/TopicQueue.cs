namespace ClaimCheck.Service.Publishing;

/// <summary>An event that the topic has not received.</summary>
/// <param name="Reason">Why; null where it was not tried, since an earlier one of its batch waits.</param>
/// <param name="IsTerminal">The topic will never accept it: it is set aside.</param>
internal sealed record Unsent(OutboxEvent Event, string? Reason, bool IsTerminal);

/// <summary>What a topic has still to receive: the feed behind the topic's position and, before that position, single events that
/// failed earlier. Of a batch only the first of those is due, so that its events keep their order.</summary>
internal sealed class TopicQueue(PublishingOptions options)
{
    private const int AtOnce = 10; // PublishBatch's limit
    private readonly string topic = options.TopicArn ?? throw new InvalidOperationException("No topic is configured.");

    /// <summary>Single events whose next try is due.</summary>
    public async Task<IReadOnlyList<OutboxEvent>> DueAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.ListAsync<OutboxEvent>(
            $"""
            SELECT {OutboxEvent.Columns}
              FROM outbox
              JOIN (SELECT w.event_id, w.next_try_at
                      FROM topic_waiting w
                     WHERE w.topic = @topic AND w.next_try_at <= now()
                       AND NOT EXISTS (SELECT
                                         FROM topic_waiting b
                                        WHERE b.topic = w.topic AND b.subject = w.subject AND b.position < w.position
                                          AND b.next_try_at IS NOT NULL)
                     ORDER BY w.next_try_at, w.position
                     LIMIT @AtOnce) due USING (event_id)
             ORDER BY due.next_try_at, position
            """,
            new { topic, AtOnce },
            cancellationToken);

    /// <summary>The next events of the feed, each of another batch or job: SNS keeps no order within a call.</summary>
    /// <returns>The topic's position, the events behind it, and those of them that have to wait behind one of their batch. The
    /// position is read each time: restoring the catalog moves it.</returns>
    public async Task<(long Position, IReadOnlyList<OutboxEvent> Events, IReadOnlySet<Guid> Behind)> NextAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var position = await PositionAsync(connection, cancellationToken);
        var rows = await connection.ListAsync<OutboxEvent>(
            $"SELECT {OutboxEvent.Columns} FROM outbox WHERE position > @position ORDER BY position LIMIT @AtOnce",
            new { position, AtOnce },
            cancellationToken);
        if (rows.Count == 0)
            return (position, rows, new HashSet<Guid>());
        var seen = new HashSet<Guid>();
        var events = rows.TakeWhile(row => seen.Add(row.About)).ToList();
        var behind = await connection.ListAsync<Guid>(
            "SELECT DISTINCT subject FROM topic_waiting WHERE topic = @topic AND subject = ANY (@Subjects) AND "
            + "next_try_at IS NOT NULL",
            new { topic, Subjects = events.Select(row => row.About).ToArray() },
            cancellationToken);
        return (position, events, behind.ToHashSet());
    }

    /// <summary>Moves the topic's position behind these events; those that it has not received are stored as waiting.</summary>
    public async Task MoveAsync(
        NpgsqlConnection connection, long from, IReadOnlyList<OutboxEvent> events, IReadOnlyList<Unsent> unsent,
        CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        foreach (var one in unsent)
        {
            await connection.ExecuteAsync(
                """
                INSERT INTO topic_waiting (topic, event_id, position, subject, reason, tries, next_try_at)
                VALUES (@topic, @EventId, @Position, @About, @reason, @tries,
                        CASE WHEN @IsTerminal THEN NULL ELSE now() + interval '250 milliseconds' * @tries END)
                ON CONFLICT (topic, event_id) DO NOTHING
                """,
                new
                {
                    topic,
                    one.Event.EventId,
                    one.Event.Position,
                    one.Event.About,
                    reason = Told(one),
                    tries = one.Reason is null ? 0 : 1,
                    one.IsTerminal,
                },
                cancellationToken);
        }

        await connection.ExecuteAsync(
            "UPDATE feed_relays SET position = @to, moved_at = now() WHERE name = @topic AND position = @from",
            new { topic, from, to = events[^1].Position },
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Records the outcomes of tries of single events. The delay of one that fails again doubles, up to five
    /// minutes.</summary>
    public Task SettleAsync(
        NpgsqlConnection connection, IReadOnlyList<OutboxEvent> tried, IReadOnlyList<Unsent> unsent,
        CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            """
            DELETE FROM topic_waiting WHERE topic = @topic AND event_id = ANY (@Sent);
            UPDATE topic_waiting w
               SET tries = w.tries + 1, reason = u.reason,
                   next_try_at = CASE WHEN u.is_terminal THEN NULL
                                      ELSE now() + least(interval '5 minutes',
                                                         interval '250 milliseconds' * power(2, least(w.tries, 16))) END
              FROM unnest(@Ids, @Reasons, @Terminal) AS u (event_id, reason, is_terminal)
             WHERE w.topic = @topic AND w.event_id = u.event_id
            """,
            new
            {
                topic,
                Sent = tried.Select(row => row.EventId).Except(unsent.Select(one => one.Event.EventId)).ToArray(),
                Ids = unsent.Select(one => one.Event.EventId).ToArray(),
                Reasons = unsent.Select(Told).ToArray(),
                Terminal = unsent.Select(one => one.IsTerminal).ToArray(),
            },
            cancellationToken);

    private async Task<long> PositionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var (mine, head, forgotten) = await connection.QuerySingleAsync<(long?, long, long)>(
            "SELECT r.position, f.head, f.forgotten FROM event_feed f LEFT JOIN feed_relays r ON r.name = @topic",
            new { topic },
            cancellationToken);
        if (mine <= head)
            return mine.Value;
        // A topic that is new to the catalog gets events from now on, not the feed's whole past. A position beyond the feed
        // belongs to another history: then all kept events are sent, under ids that consumers know.
        return await connection.ExecuteScalarAsync<long>(
            """
            INSERT INTO feed_relays (name, position) VALUES (@topic, @position)
            ON CONFLICT (name) DO UPDATE SET position = excluded.position
            RETURNING position
            """,
            new { topic, position = mine is null ? head : forgotten },
            cancellationToken);
    }

    private static string? Told(Unsent one) => one.Reason is null ? null : BoundedText.Cut(one.Reason, BoundedText.Detail);
}
