using ClaimCheck.Service.Receipts.Ledger;

namespace ClaimCheck.Service.Receipts;

/// <summary>Receipts as callers see them.</summary>
internal sealed class ReceiptViews(ReceiptOverview board, PublicAddress address, ReceiptOptions options)
{
    /// <summary>One consumer's receipt; null where it neither should get the batch nor has reported on it.</summary>
    public async Task<Receipt?> ShowAsync(ExportRow batch, string consumer, CancellationToken cancellationToken)
    {
        var found = await board.ReadAsync(OverviewOf.Of(batch), consumer, null, 1, cancellationToken);
        return found.Count == 0 ? null : Show(batch, found[0]);
    }

    /// <summary>By consumer, one more than asked for where there are more.</summary>
    public async Task<IReadOnlyList<Receipt>> ListAsync(
        ExportRow batch, string? after, int limit, CancellationToken cancellationToken) =>
        [.. (await board.ReadAsync(OverviewOf.Of(batch), null, after, limit, cancellationToken)).Select(place =>
            Show(batch, place))];

    private Receipt Show(ExportRow batch, ConsumerOutcome place)
    {
        var receipt = place.Receipt;
        var path = address.Url($"/v1/batches/{batch.Batch}");
        var self = $"{path}/receipts/{place.Consumer}";
        var isReady = batch.EffectiveState == ExportState.Ready;
        return new()
        {
            BatchId = batch.Batch,
            Consumer = place.Consumer,
            State = receipt?.State,
            Succeeded = receipt?.Succeeded ?? 0,
            Transient = receipt?.Transient ?? 0,
            Terminal = receipt?.Terminal ?? 0,
            Checkpoint = receipt?.Checkpoint,
            FetchedAt = place.FetchedAt,
            CreatedAt = receipt?.CreatedAt,
            UpdatedAt = receipt?.UpdatedAt,
            // Whole seconds; the moment itself may be slightly ahead of another connection's clock.
            Age = place.Silence is { } silence
                ? IsoDuration.Format(TimeSpan.FromSeconds(Math.Max(0, Math.Floor(silence.TotalSeconds))))
                : null,
            Rounds = Rounds(receipt),
            Links = new(
                self,
                self + "/failures",
                path,
                isReady && receipt is { Transient: > 0 } && batch.FrozenDataset.Origin == RecordOrigin.Query
                    ? path + "/retries"
                    : null,
                isReady ? path + "/redeliveries" : null),
        };
    }

    private ReceiptRounds? Rounds(ReceiptRow? receipt)
    {
        if (receipt is null || (receipt.Rounds == 0 && receipt.Transient == 0))
            return null;
        var isOpen = receipt.RoundState == RoundState.Open;
        return new(
            receipt.Rounds,
            options.RetryRounds,
            isOpen ? new BatchId(receipt.RoundBatch!.Value) : null,
            isOpen || receipt.Transient == 0 ? null : receipt.NextRoundAt);
    }
}
