using ClaimCheck.Service.Batches;

namespace ClaimCheck.Service.Publishing;

/// <summary>Puts events into CloudEvents envelopes; a BulkReady's link is minted here, anew for each delivery. None is larger
/// than <see cref="EventSize.Most"/>, including rows that an earlier version has written.</summary>
internal sealed class EventEnvelopes(LinkMinter minter, ManifestBuilder manifests)
{
    /// <param name="batch">A BulkReady's batch as it is now.</param>
    /// <param name="cancellationToken">Minting may fetch a credential.</param>
    public async Task<BulkEvent> MakeAsync(OutboxEvent row, ExportRow? batch, CancellationToken cancellationToken)
    {
        var envelope = new BulkEvent
        {
            Id = new(row.EventId),
            Type = EventTypes.ToCloudEventType(row.Type),
            Source = row.Source,
            Subject = row.Subject,
            Time = row.CreatedAt,
            Data = JsonElement.Parse(row.Data),
        };
        if (row.Type != EventTypes.BulkReady)
            return EventSize.Fit(envelope);

        var location = await LocationAsync(row, batch, cancellationToken);
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
        var ready = With(envelope, data);
        // For a link signed with a long session token, or for a long host name: consumers use the claim URL.
        return location is null || EventSize.Of(ready) <= EventSize.Most
            ? EventSize.Fit(ready)
            : EventSize.Fit(With(envelope, data with { Location = null, LocationExpiresAt = null }));
    }

    private static BulkEvent With(BulkEvent envelope, BulkReadyData data) =>
        envelope with { DataRef = data.Location, Data = JsonSerializer.SerializeToElement(data, ClaimCheckJson.Options) };

    // Expires no later than the links inside the manifest that it leads to: after that, consumers use the claim URL.
    private async Task<SignedLink?> LocationAsync(OutboxEvent row, ExportRow? batch, CancellationToken cancellationToken)
    {
        if (batch?.EffectiveState != ExportState.Ready)
            return null;
        var (key, left, end) = row.Manifest is { } own
            ? (own, row.ManifestRemaining, row.ManifestExpiresAt)
            : (StagingKeys.Manifest(batch.Batch), batch.ManifestRemaining, batch.ManifestExpiresAt);
        if (left is not { } remaining || remaining < TimeSpan.FromSeconds(1))
            return null;
        var signed = await minter.MintAsync(
            batch.Ready, key, remaining < batch.LinkLifetime ? remaining : batch.LinkLifetime, HttpMethods.Get,
            cancellationToken);
        var truth = new[] { signed.ExpiresAt, end!.Value, batch.ExpiresAt!.Value }.Min();
        return signed with { ExpiresAt = truth };
    }
}
