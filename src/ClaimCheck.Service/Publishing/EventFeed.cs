using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Hosting;
using ClaimCheck.Service.Links;
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
        var rows = (await connection.QueryAsync<EventRow>(new CommandDefinition(
            """
            SELECT position, event_id, export_id, batch_id, type, data::text AS data, created_at
              FROM outbox
             WHERE position > @after AND tenant = @Tenant
             ORDER BY position
             LIMIT @limit
            """,
            new { after, caller.Tenant, limit },
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

/// <summary>A row of <c>outbox</c>.</summary>
internal sealed record EventRow
{
    public required long Position { get; init; }
    public required Guid EventId { get; init; }
    public required Guid ExportId { get; init; }
    public required Guid BatchId { get; init; }
    public required string Type { get; init; }
    public required string Data { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Puts events into CloudEvents envelopes; a BulkReady's link is minted here, for each delivery anew.</summary>
internal sealed class EventEnvelopes(LinkMinter minter, ManifestBuilder manifests)
{
    /// <param name="row">The event.</param>
    /// <param name="batch">A BulkReady's batch as it is now.</param>
    /// <param name="cancellationToken">Minting may fetch a credential.</param>
    public async Task<BulkEvent> MakeAsync(EventRow row, ExportRow? batch, CancellationToken cancellationToken)
    {
        var envelope = new BulkEvent
        {
            Id = new(row.EventId),
            Type = EventTypes.ToCloudEventType(row.Type),
            Source = $"/v1/exports/{new ExportId(row.ExportId)}",
            Subject = new BatchId(row.BatchId).ToString(),
            Time = row.CreatedAt,
            Data = JsonElement.Parse(row.Data),
        };
        if (row.Type != EventTypes.BulkReady)
            return envelope;

        var location = await LocationAsync(batch, cancellationToken);
        var facts = JsonSerializer.Deserialize<ReadyFacts>(row.Data, ClaimCheckJson.Options)!;
        var data = new BulkReadyData
        {
            ExportId = facts.ExportId,
            BatchId = facts.BatchId,
            Dataset = facts.Dataset,
            SchemaVersion = facts.SchemaVersion,
            RetryOf = facts.RetryOf,
            Location = location?.Link,
            LocationExpiresAt = location?.ExpiresAt,
            ClaimUrl = manifests.ClaimUrl(facts.BatchId),
            Records = facts.Records,
            Bytes = facts.Bytes,
            Files = facts.Files,
            Format = facts.Format,
            Compression = facts.Compression,
        };
        return envelope with { DataRef = location?.Link, Data = JsonSerializer.SerializeToElement(data, ClaimCheckJson.Options) };
    }

    // Dies with the links inside the manifest it leads to, at the latest: past that the claim URL serves.
    private async Task<Staging.SignedLink?> LocationAsync(ExportRow? batch, CancellationToken cancellationToken)
    {
        if (batch?.EffectiveState != ExportState.Ready || batch.ManifestRemaining is not { } remaining || remaining < TimeSpan.FromSeconds(1))
            return null;
        var signed = await minter.MintAsync(
            batch, Staging.StagingKeys.Manifest(batch.Batch), remaining < batch.LinkLifetime ? remaining : batch.LinkLifetime, cancellationToken);
        var truth = new[] { signed.ExpiresAt, batch.ManifestExpiresAt!.Value, batch.ExpiresAt!.Value }.Min();
        return signed with { ExpiresAt = truth };
    }

    // What the outbox holds of a BulkReady: everything but links and addresses.
    private sealed record ReadyFacts
    {
        public required ExportId ExportId { get; init; }
        public required BatchId BatchId { get; init; }
        public required string Dataset { get; init; }
        public required int SchemaVersion { get; init; }
        public BatchId? RetryOf { get; init; }
        public required long Records { get; init; }
        public required long Bytes { get; init; }
        public required int Files { get; init; }
        public required string Format { get; init; }
        public required string Compression { get; init; }
    }
}
