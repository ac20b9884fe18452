using ClaimCheck.Contracts;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Hosting;
using Dapper;
using Npgsql;

namespace ClaimCheck.Service.Publishing;

/// <summary>A published event and its place.</summary>
internal sealed record PositionedEvent(long Position, BulkEvent Event);

/// <summary>Published events in the order of their places, with links minted for this reader.</summary>
internal sealed class EventFeed(NpgsqlDataSource catalog, EventEnvelopes envelopes)
{
    /// <summary>
    /// The last place that retention has deleted: a reader behind it has missed something. And the last one given: a reader
    /// beyond it comes from another catalog, and would miss everything until this one has caught up.
    /// </summary>
    public async Task<(long Forgotten, long Head)> BoundsAsync(CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<(long, long)>(new CommandDefinition("SELECT forgotten, head FROM feed", cancellationToken: cancellationToken));
    }

    /// <summary>Events after a place, oldest first, and the place to go on from.</summary>
    public async Task<(IReadOnlyList<PositionedEvent> Events, long Next)> ReadAsync(
        Caller caller, long after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        // Places are given after commit and without gaps, so that what is read up to here is complete.
        var rows = (await connection.QueryAsync<OutboxEvent>(new CommandDefinition(
            $"""
            SELECT {OutboxEvent.Columns}
              FROM outbox
             WHERE position > @after AND tenant = @Tenant AND (@ActsForAll OR consumer IN ('*', @Name))
             ORDER BY position
             LIMIT @limit
            """,
            new { after, caller.Tenant, caller.ActsForAll, caller.Name, limit },
            cancellationToken: cancellationToken))).AsList();
        var ready = rows.Where(row => row.Type == EventTypes.BulkReady).Select(row => row.BatchId).ToArray();
        var batches = ready.Length == 0 ? [] : (await connection.QueryAsync<ExportRow>(new CommandDefinition(
            $"SELECT {ExportRow.Columns} FROM exports WHERE batch_id = ANY(@ready)",
            new { ready },
            cancellationToken: cancellationToken))).ToDictionary(row => row.BatchId);

        var events = new List<PositionedEvent>(rows.Count);
        foreach (var row in rows)
            events.Add(new(row.Position, await envelopes.MakeAsync(row, batches.GetValueOrDefault(row.BatchId), cancellationToken)));
        return (events, rows.Count > 0 ? rows[^1].Position : after);
    }
}
