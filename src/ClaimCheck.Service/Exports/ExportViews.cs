namespace ClaimCheck.Service.Exports;

/// <summary>Exports and batches as callers see them.</summary>
internal sealed class ExportViews(PublicAddress address, LinkMinter minter)
{
    public static string PathOf(ExportId id) => $"/v1/exports/{id}";

    public Export Show(ExportRow row) => Show(row, staging: null);

    /// <summary>With the link to the manifest's future place, which only the first answer carries.</summary>
    public async Task<Export> ShowWithStagingAsync(ExportRow row, CancellationToken cancellationToken) =>
        Show(row, await minter.MintFutureManifestAsync(row.Batch, cancellationToken));

    public Batch Show(
        ExportRow row, (IReadOnlyList<Redemption> Latest, long Total) redeemed, DateTimeOffset? verifiedAt,
        BatchDelivery? delivery, IReadOnlyList<ReceiptSummary> receipts)
    {
        var self = address.Url($"/v1/batches/{row.Batch}");
        var isReady = row.EffectiveState == ExportState.Ready;
        var mayBecomeReady = !ExportState.IsEnd(row.EffectiveState);
        // While it runs, the figures are those of an attempt, not of the batch.
        var isComplete = row.ReadyAt is not null;
        return new()
        {
            BatchId = row.Batch,
            ExportId = row.ExportId,
            State = row.EffectiveState,
            Dataset = row.Dataset,
            SchemaVersion = row.SchemaVersion,
            Format = row.Format,
            Compression = row.Compression,
            Records = isComplete ? row.Records : 0,
            Bytes = isComplete ? row.Bytes : 0,
            UncompressedBytes = isComplete ? row.UncompressedBytes : 0,
            Files = isComplete ? row.Files : 0,
            SnapshotAt = row.SnapshotAt,
            ReadyAt = row.ReadyAt,
            ExpiresAt = row.ExpiresAt,
            EndedAt = row.EndedAt,
            Reason = row.Reason,
            DeletionVerifiedAt = verifiedAt,
            RetryOf = row.RetryOf is { } batch ? new BatchId(batch) : null,
            Delivery = delivery,
            Receipts = receipts,
            Redeemed = redeemed.Latest,
            RedeemedTotal = redeemed.Total,
            Links = new(
                self,
                address.Url(PathOf(row.ExportId)),
                mayBecomeReady ? self + "/manifest" : null,
                isReady ? self + "/data" : null,
                isReady ? self + "/records" : null,
                self + "/receipts",
                self),
        };
    }

    private static ExportProgress ProgressOf(ExportRow row)
    {
        var isRunning = row.State == ExportState.Running;
        var (records, bytes) = isRunning ? (Rate(row.RecordsPerSecond), Rate(row.BytesPerSecond)) : (null, null);
        return new(row.Records, row.Bytes, row.Files, row.EstimatedRecords)
        {
            Ranges = row is { RangesBy: { } by, Ranges: { } ranges } ? new(by, ranges) : null,
            RecordsPerSecond = records,
            BytesPerSecond = bytes,
            // An estimate that is passed already says nothing of what is left, and a standstill nothing of its end.
            SecondsLeft = records > 0 && row.EstimatedRecords - row.Records is > 0 and var left
                ? Math.Ceiling(left / records.Value) : null,
            EstimateRatio = row is { ReadyAt: not null, Records: > 0, EstimatedRecords: { } estimated }
                ? Math.Round((double)estimated / row.Records, 3) : null,
        };

        static double? Rate(double? perSecond) => perSecond is { } rate ? Math.Round(rate, 1) : null;
    }

    private Export Show(ExportRow row, Link? staging)
    {
        var self = address.Url(PathOf(row.ExportId));
        var batch = address.Url($"/v1/batches/{row.Batch}");
        return new()
        {
            ExportId = row.ExportId,
            BatchId = row.Batch,
            State = row.EffectiveState,
            Dataset = row.Dataset,
            SchemaVersion = row.SchemaVersion,
            Criteria = row.CriteriaJson,
            Format = row.Format,
            Compression = row.Compression,
            Progress = ProgressOf(row),
            CreatedAt = row.CreatedAt,
            StartedAt = row.StartedAt,
            ReadyAt = row.ReadyAt,
            ExpiresAt = row.ExpiresAt,
            EndedAt = row.EndedAt,
            RetryOf = row.RetryOf is { } original ? new BatchId(original) : null,
            Failure = row.Failure,
            Links = new(self, batch, batch + "/manifest", staging, ExportState.IsEnd(row.EffectiveState) ? null : self),
        };
    }
}
