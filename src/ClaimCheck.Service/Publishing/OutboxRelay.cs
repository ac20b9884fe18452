namespace ClaimCheck.Service.Publishing;

/// <summary>Publishes the events of the outbox, one relay at a time however many replicas run: the lock and the positions it
/// gives are on one connection, so that a relay that lost its connection can give none. BulkReady is published here.</summary>
internal sealed partial class OutboxRelay(
    NpgsqlDataSource catalog, ManifestWriter manifests, CatalogSignals signals, PublishingOptions options,
    ILogger<OutboxRelay> logger) : BackgroundService
{
    private const int AtOnce = 100;
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ForgetEvery = TimeSpan.FromMinutes(10);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(
            nameof(OutboxRelay), token => Exclusive.RunAsync(catalog, AdvisoryLocks.OutboxRelay, RelayAsync, logger, token),
            logger, stoppingToken);

    private async Task RelayAsync(NpgsqlConnection connection, CancellationToken stoppingToken)
    {
        using var signal = signals.Listen(CatalogSignals.Outbox);
        var forgot = TimeProvider.System.GetTimestamp() - TimeProvider.System.TimestampFrequency * (long)ForgetEvery.TotalSeconds;
        while (!stoppingToken.IsCancellationRequested)
        {
            var waiting = await connection.ListAsync<WaitingEvent>(
                """
                SELECT o.event_id, o.batch_id, o.job_id, o.type,
                       EXISTS (SELECT FROM exports e
                                WHERE e.batch_id = o.batch_id AND e.manifest_expires_at IS NOT NULL) AS is_offered_again
                  FROM outbox o
                 WHERE position IS NULL AND superseded_at IS NULL AND next_try_at <= now()
                 ORDER BY tries > 0, created_at, event_id
                 LIMIT @AtOnce
                """,
                new { AtOnce },
                stoppingToken);
            // One that failed may have taken long: events that came since, and were not tried yet, precede the other failed ones.
            var stuck = false;
            foreach (var waitingEvent in waiting.TakeWhile(_ => !stuck))
                stuck = !await PublishAsync(connection, waitingEvent, stoppingToken);
            if (TimeProvider.System.GetElapsedTime(forgot) >= ForgetEvery)
            {
                await ForgetAsync(connection, stoppingToken);
                forgot = TimeProvider.System.GetTimestamp();
            }

            if (waiting.Count < AtOnce && !stuck)
                await signal.WaitAsync(LookAgain, stoppingToken);
        }
    }

    /// <returns>False where it is postponed.</returns>
    private async Task<bool> PublishAsync(NpgsqlConnection connection, WaitingEvent waiting, CancellationToken cancellationToken)
    {
        try
        {
            DateTimeOffset? linksExpireAt = null;
            string? manifest = null;
            if (waiting.Type == EventTypes.BulkReady)
            {
                var batch = new BatchId(waiting.BatchId!.Value);
                manifest = waiting.IsOfferedAgain ? StagingKeys.AnotherManifest(batch) : StagingKeys.Manifest(batch);
                linksExpireAt = await manifests.WriteAsync(batch, manifest, cancellationToken);
                if (linksExpireAt is null)
                {
                    await SupersedeAsync(connection, waiting, cancellationToken);
                    return true;
                }
            }

            if (await PositionAsync(connection, waiting, manifest, linksExpireAt, cancellationToken))
                Log.Published(logger, waiting.Type, new EventId(waiting.EventId), waiting.Subject);
            else
                await SupersedeAsync(connection, waiting, cancellationToken);
            return true;
        }
        catch (StagingException e)
        {
            Log.Postponed(logger, waiting.Type, waiting.Subject, e.Message);
        }
        catch (Exception e) when (CatalogErrors.IsOfOneItem(e) && !cancellationToken.IsCancellationRequested)
        {
            Log.Broken(logger, Defect.Of(e), waiting.Type, new EventId(waiting.EventId), waiting.Subject);
        }

        await connection.ExecuteAsync(
            """
            UPDATE outbox
               SET tries = tries + 1,
                   next_try_at = now() + least(interval '30 seconds', interval '250 milliseconds' * power(2, least(tries, 10)))
             WHERE event_id = @EventId
            """,
            new { waiting.EventId },
            cancellationToken);
        return false;
    }

    /// <summary>Gives the event its position in the feed: the row of <c>feed</c> is the lock that keeps positions in the order of
    /// commits.</summary>
    /// <returns>False where a BulkReady's batch is no longer ready.</returns>
    private static async Task<bool> PositionAsync(
        NpgsqlConnection connection, WaitingEvent waiting, string? manifest, DateTimeOffset? linksExpireAt,
        CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (waiting.Type == EventTypes.BulkReady)
        {
            // Locks the batch's row: a revocation comes either before this, and nothing is sent, or after it, and revokes what
            // was sent.
            var ready = await connection.ExecuteAsync(
                """
                UPDATE exports
                   SET manifest_expires_at = CASE WHEN @IsOfferedAgain THEN manifest_expires_at ELSE @linksExpireAt END
                 WHERE batch_id = @BatchId AND state = 'ready' AND expires_at > now()
                """,
                new { waiting.BatchId, waiting.IsOfferedAgain, linksExpireAt },
                cancellationToken);
            if (ready == 0)
                return false;
        }

        await connection.ExecuteAsync(
            """
            WITH next AS (
                UPDATE event_feed SET head = head + 1 RETURNING head
            )
            UPDATE outbox o
               SET position = next.head, published_at = now(), publication = gen_random_uuid(), manifest = @Manifest,
                   manifest_expires_at = @linksExpireAt
              FROM next
             WHERE o.event_id = @EventId AND o.position IS NULL
            """,
            new { waiting.EventId, Manifest = waiting.IsOfferedAgain ? manifest : null, linksExpireAt },
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private async Task SupersedeAsync(NpgsqlConnection connection, WaitingEvent waiting, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(
            "UPDATE outbox SET superseded_at = now() WHERE event_id = @EventId AND position IS NULL",
            new { waiting.EventId },
            cancellationToken);
        Log.Superseded(logger, waiting.Type, waiting.Subject);
    }

    private async Task ForgetAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // From the oldest on, a portion at a time, until a recent one is reached: events that are kept are not scanned.
        var forgotten = 0;
        while (await connection.ExecuteAsync(
            """
            WITH oldest AS (
                SELECT position, published_at < now() - @FeedRetention AS is_old
                  FROM outbox
                 WHERE position > (SELECT forgotten FROM event_feed)
                 ORDER BY position
                 LIMIT 1000
            ), old AS (
                DELETE FROM outbox
                 WHERE position IN (SELECT position FROM oldest
                                     WHERE position < coalesce((SELECT min(position) FROM oldest WHERE NOT is_old), position + 1))
             RETURNING position, event_id, publication
            ), superseded AS (
                DELETE FROM outbox WHERE superseded_at < now() - @FeedRetention
            ), last AS (
                SELECT position, event_id, publication FROM old ORDER BY position DESC LIMIT 1
            )
            UPDATE event_feed
               SET forgotten = last.position, forgotten_event = last.event_id, forgotten_publication = last.publication
              FROM last
             WHERE last.position > event_feed.forgotten
            """,
            new { options.FeedRetention },
            cancellationToken) > 0)
        {
            forgotten++;
        }

        if (forgotten > 0)
            Log.Forgot(logger, options.FeedRetention);
    }

    // Offered again: the batch was announced before, and this BulkReady gets a manifest of its own.
    private sealed record WaitingEvent(Guid EventId, Guid? BatchId, Guid? JobId, string Type, bool IsOfferedAgain)
    {
        public string Subject => OutboxEvent.SubjectOf(BatchId, JobId);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Type} {EventId} of {Subject} is published.")]
        public static partial void Published(ILogger logger, string type, EventId eventId, string subject);

        [LoggerMessage(LogLevel.Information, "{Type} of {Subject} is superseded: its batch has ended.")]
        public static partial void Superseded(ILogger logger, string type, string subject);

        [LoggerMessage(LogLevel.Warning, "{Type} of {Subject} waits: {Reason}")]
        public static partial void Postponed(ILogger logger, string type, string subject, string reason);

        [LoggerMessage(
            LogLevel.Error, "{Type} {EventId} of {Subject} can't be published; it is tried again, and other events continue.")]
        public static partial void Broken(ILogger logger, Exception exception, string type, EventId eventId, string subject);

        [LoggerMessage(LogLevel.Information, "Events older than {Retention} are deleted from the feed.")]
        public static partial void Forgot(ILogger logger, TimeSpan retention);
    }
}
