namespace ClaimCheck.Service.Publishing;

/// <summary>Events as they are sent now, to a topic or a webhook: a BulkReady with a fresh link, or not at all.</summary>
internal sealed class FreshEvents(NpgsqlDataSource catalog, EventEnvelopes envelopes, ManifestWriter manifests)
{
    /// <returns>Null where it is a BulkReady whose batch is no longer ready.</returns>
    public async Task<BulkEvent?> MakeAsync(OutboxEvent row, CancellationToken cancellationToken)
    {
        if (row.Type != EventTypes.BulkReady)
            return await envelopes.MakeAsync(row, null, cancellationToken);
        if (await ReadyAsync(row.BatchId!.Value, cancellationToken) is not { } batch)
            return null;
        if (!IsFresh(row.Manifest is null ? batch.ManifestRemaining : row.ManifestRemaining, batch))
        {
            // After a long outage the links inside the manifest may have expired or be about to: then it is written again.
            var key = row.Manifest ?? StagingKeys.Manifest(batch.Batch);
            if (await manifests.WriteAsync(batch.Batch, key, cancellationToken) is not { } linksExpireAt)
                return null;
            row = await NoteAsync(row, linksExpireAt, cancellationToken);
            if (await ReadyAsync(row.BatchId!.Value, cancellationToken) is not { } still)
                return null;
            batch = still;
        }

        return await envelopes.MakeAsync(row, batch, cancellationToken);
    }

    private static bool IsFresh(TimeSpan? remaining, ExportRow batch) =>
        remaining > batch.LinkLifetime / 2 || remaining > batch.Remaining - TimeSpan.FromMinutes(1);

    private async Task<OutboxEvent> NoteAsync(OutboxEvent row, DateTimeOffset linksExpireAt, CancellationToken cancellationToken)
    {
        if (row.Manifest is null)
        {
            await catalog.ExecuteAsync(
                "UPDATE exports SET manifest_expires_at = @linksExpireAt WHERE batch_id = @BatchId AND state = 'ready'",
                new { row.BatchId, linksExpireAt },
                cancellationToken);
            return row;
        }

        var remaining = await catalog.QuerySingleOrDefaultAsync<TimeSpan?>(
            "UPDATE outbox SET manifest_expires_at = @linksExpireAt WHERE event_id = @EventId RETURNING "
            + "manifest_expires_at - now()",
            new { row.EventId, linksExpireAt },
            cancellationToken);
        return row with { ManifestExpiresAt = linksExpireAt, ManifestRemaining = remaining };
    }

    private async Task<ExportRow?> ReadyAsync(Guid batch, CancellationToken cancellationToken)
    {
        var row = await catalog.QuerySingleOrDefaultAsync<ExportRow>(
            $"SELECT {ExportRow.Columns} FROM exports WHERE batch_id = @batch", new { batch }, cancellationToken);
        return row?.EffectiveState == ExportState.Ready ? row : null;
    }
}
