namespace ClaimCheck.Service.Publishing;

/// <summary>A published event and its position.</summary>
internal sealed record PositionedEvent(FeedPlace Place, BulkEvent Event);

/// <summary>Events in the order of their positions, and the position to continue from.</summary>
internal sealed record FeedPage(IReadOnlyList<PositionedEvent> Events, FeedPlace Next);

/// <summary>Published events in the order of their positions, with links minted for this reader.</summary>
internal sealed class EventFeed(NpgsqlDataSource catalog, EventEnvelopes envelopes, CatalogSignals signals)
{
    private const int AtOnce = 100;

    // What a position is compared with: the last one that retention has deleted, and the event that is there now.
    private const string ThereSql = """
        SELECT f.forgotten, f.forgotten_event, f.forgotten_publication, o.event_id, o.publication
          FROM event_feed f
          LEFT JOIN outbox o ON o.position = @position
        """;

    private readonly SharedReads<(Caller Caller, FeedPlace After, int Limit), FeedPage?> reads = new();

    private readonly CatalogWatch<long, long> heads = new(
        signals,
        _ => CatalogSignals.Feed,
        TimeSpan.FromSeconds(2),
        async (seen, cancellationToken) =>
        {
            var head = await catalog.ExecuteScalarAsync<long>("SELECT head FROM event_feed", null, cancellationToken);
            return seen.Where(before => before != head).Select(before => (before, head)); // less after a restored dump
        });

    /// <summary>Waits until the head is no longer the given position: all waiters share one query. Dispose it.</summary>
    public CatalogWatch<long, long>.Wait Beyond(long head) => heads.Begin(head);

    /// <summary>Finds the position that a cursor refers to.</summary>
    /// <param name="after">Null: before the oldest event that is kept.</param>
    /// <returns>The position with its current digest. Null where the events after it are deleted, or where another event or none
    /// is there: the reader comes from another history of the catalog, and would miss the first events of this one.</returns>
    public async Task<FeedPlace?> FindAsync(FeedPlace? after, CancellationToken cancellationToken)
    {
        var there = await catalog.QuerySingleAsync<There>(ThereSql, new { position = after?.Position ?? 0 }, cancellationToken);
        return after is { } place
            ? there.Find(place)
            : there.Forgotten > 0 ? there.Find(new(there.Forgotten, null))
            : new FeedPlace(0, null);
    }

    /// <summary>Events after a position, oldest first. Readers at the same position, as all waiters are, share a read.</summary>
    /// <returns>Null where the position does not belong to this feed, as <see cref="FindAsync"/> explains.</returns>
    public Task<FeedPage?> ReadAsync(Caller caller, FeedPlace after, int limit, CancellationToken cancellationToken) =>
        reads.ReadAsync((caller, after, limit), token => ReadNowAsync(caller, after, limit, token), cancellationToken);

    /// <summary>What comes after a place, and goes on coming.</summary>
    /// <param name="caller">The reader.</param>
    /// <param name="place">The position that they come after.</param>
    /// <param name="quiet">After this long without an event, an empty list is returned.</param>
    /// <param name="time">Measures that.</param>
    /// <param name="cancellationToken">Ends it, without an exception. It ends by itself where the cursor does not belong to this
    /// feed.</param>
    public async IAsyncEnumerable<IReadOnlyList<PositionedEvent>> FollowAsync(
        Caller caller, FeedPlace place, TimeSpan quiet, TimeProvider time,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = place.Position;
        while (!cancellationToken.IsCancellationRequested)
        {
            using var moved = Beyond(seen);
            if (await TryReadAsync(caller, place, cancellationToken) is not var (events, next))
                yield break;
            place = next;
            if (events.Count > 0)
                yield return events;
            if (events.Count == AtOnce)
                continue;
            while (!await moved.WithinAsync(quiet, time, cancellationToken))
            {
                if (cancellationToken.IsCancellationRequested)
                    yield break;
                yield return [];
            }

            seen = await moved.Happened;
        }
    }

    private async Task<FeedPage?> TryReadAsync(Caller caller, FeedPlace place, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(caller, place, AtOnce, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<FeedPage?> ReadNowAsync(Caller caller, FeedPlace after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        // Positions are given after commit and without gaps, so that what is read up to here is complete; and none of it was
        // deleted where the position, checked afterwards, still exists. A consumer's events are those for all and its own, each
        // found by the index outbox_by_consumer, however many others there are; an administrator's are found by position.
        var ofOne = (string consumer) =>
            $"(SELECT {OutboxEvent.Columns} FROM outbox WHERE tenant = @Tenant AND consumer = {consumer} AND position > "
            + "@position ORDER BY position NULLS FIRST LIMIT @limit)";
        var found = caller.ActsForAll
            ? $"SELECT {OutboxEvent.Columns} FROM outbox WHERE position > @position AND tenant = @Tenant ORDER "
                + "BY position LIMIT @limit"
            : $"{ofOne("'*'")} UNION ALL {ofOne("@Name")} ORDER BY position LIMIT @limit";
        await using var answers = await connection.QueryMultipleAsync(new CommandDefinition(
            $"{found}; {ThereSql}",
            new { position = after.Position, caller.Tenant, caller.Name, limit },
            cancellationToken: cancellationToken));
        var rows = (await answers.ReadAsync<OutboxEvent>()).AsList();
        if ((await answers.ReadSingleAsync<There>()).Find(after) is not { } place)
            return null;
        var ready = rows.Where(row => row.Type == EventTypes.BulkReady).Select(row => row.BatchId!.Value).ToArray();
        var batches = ready.Length == 0 ? [] : (await connection.ListAsync<ExportRow>(
            $"SELECT {ExportRow.Columns} FROM exports WHERE batch_id = ANY(@ready)",
            new { ready },
            cancellationToken)).ToDictionary(row => row.BatchId);

        var events = new List<PositionedEvent>(rows.Count);
        foreach (var row in rows)
            events.Add(new(FeedPlace.Of(row), await envelopes.MakeAsync(
                row, batches.GetValueOrDefault(row.BatchId ?? Guid.Empty), cancellationToken)));
        return new(events, events.Count > 0 ? events[^1].Place : place);
    }

    private sealed record There(
        long Forgotten, Guid? ForgottenEvent, Guid? ForgottenPublication, Guid? EventId, Guid? Publication)
    {
        public FeedPlace? Find(FeedPlace place)
        {
            if (place.Position < Forgotten)
                return null;
            if (place.Position == 0)
                return new FeedPlace(0, null);
            // For the last deleted event an earlier version has stored only the number.
            var (id, publication) = place.Position == Forgotten ? (ForgottenEvent, ForgottenPublication) : (EventId, Publication);
            if (id is null)
                return place.Position == Forgotten ? place : null;
            var here = FeedPlace.Of(place.Position, id.Value, publication);
            return place.Matches(here) ? here : null;
        }
    }
}
