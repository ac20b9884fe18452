using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Hosting;
using Dapper;
using Npgsql;

namespace ClaimCheck.Service.Publishing;

/// <summary>A published event and its place.</summary>
internal sealed record PositionedEvent(long Position, BulkEvent Event);

/// <summary>Published events in the order of their places, with links minted for this reader.</summary>
internal sealed class EventFeed(NpgsqlDataSource catalog, EventEnvelopes envelopes, CatalogSignals signals)
{
    private readonly SharedReads<(Caller Caller, long After, int Limit), (IReadOnlyList<PositionedEvent> Events, long Next)> reads = new();

    private readonly CatalogWatch<long, long> heads = new(
        signals,
        _ => CatalogSignals.Feed,
        TimeSpan.FromSeconds(2),
        async (seen, cancellationToken) =>
        {
            await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
            var head = await connection.ExecuteScalarAsync<long>(new CommandDefinition("SELECT head FROM feed", cancellationToken: cancellationToken));
            return seen.Where(before => before < head).Select(before => (before, head));
        });

    /// <summary>Waits until the last place given is beyond this one: all who wait are one look at the catalog. Dispose it.</summary>
    public CatalogWatch<long, long>.Wait Beyond(long head) => heads.Begin(head);

    /// <summary>
    /// The last place that retention has deleted: a reader behind it has missed something. And the last one given: a reader
    /// beyond it comes from another catalog, and would miss everything until this one has caught up.
    /// </summary>
    public async Task<(long Forgotten, long Head)> BoundsAsync(CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<(long, long)>(new CommandDefinition("SELECT forgotten, head FROM feed", cancellationToken: cancellationToken));
    }

    /// <summary>Events after a place, oldest first, and the place to go on from. Readers that are at one place, as all who wait are, share a read.</summary>
    public Task<(IReadOnlyList<PositionedEvent> Events, long Next)> ReadAsync(
        Caller caller, long after, int limit, CancellationToken cancellationToken) =>
        reads.ReadAsync((caller, after, limit), token => ReadNowAsync(caller, after, limit, token), cancellationToken);

    private async Task<(IReadOnlyList<PositionedEvent> Events, long Next)> ReadNowAsync(
        Caller caller, long after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        // Places are given after commit and without gaps, so that what is read up to here is complete. A consumer's events are those
        // for all and its own, each found by the index outbox_by_consumer, whatever others have; an administrator's are found by place.
        var ofOne = (string consumer) =>
            $"(SELECT {OutboxEvent.Columns} FROM outbox WHERE tenant = @Tenant AND consumer = {consumer} AND position > @after ORDER BY position NULLS FIRST LIMIT @limit)";
        var rows = (await connection.QueryAsync<OutboxEvent>(new CommandDefinition(
            caller.ActsForAll
                ? $"SELECT {OutboxEvent.Columns} FROM outbox WHERE position > @after AND tenant = @Tenant ORDER BY position LIMIT @limit"
                : $"{ofOne("'*'")} UNION ALL {ofOne("@Name")} ORDER BY position LIMIT @limit",
            new { after, caller.Tenant, caller.Name, limit },
            cancellationToken: cancellationToken))).AsList();
        var ready = rows.Where(row => row.Type == EventTypes.BulkReady).Select(row => row.BatchId!.Value).ToArray();
        var batches = ready.Length == 0 ? [] : (await connection.QueryAsync<ExportRow>(new CommandDefinition(
            $"SELECT {ExportRow.Columns} FROM exports WHERE batch_id = ANY(@ready)",
            new { ready },
            cancellationToken: cancellationToken))).ToDictionary(row => row.BatchId);

        var events = new List<PositionedEvent>(rows.Count);
        foreach (var row in rows)
            events.Add(new(row.Position, await envelopes.MakeAsync(row, batches.GetValueOrDefault(row.BatchId ?? Guid.Empty), cancellationToken)));
        return (events, rows.Count > 0 ? rows[^1].Position : after);
    }
}
