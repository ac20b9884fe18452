namespace ClaimCheck.Service.Exports;

/// <summary>Waits until an export is ready or ended, for callers that asked to (<c>Prefer: wait=N</c>).</summary>
internal sealed class ExportWaiting(ExportStore store, CatalogSignals signals, LongPoll poll)
{
    private readonly CatalogWatch<(Guid Id, Guid BatchId), ExportRow> watch = new(
        signals,
        export => CatalogSignals.Of(new BatchId(export.BatchId)),
        TimeSpan.FromSeconds(2),
        async (exports, cancellationToken) =>
            (await store.SettledAsync([.. exports.Select(export => export.Id)], cancellationToken)).Select(row =>
                ((row.Id, row.BatchId), row)));

    /// <returns>The export as it is then; still pending or running when the time is up or the service stops.</returns>
    public Task<ExportRow> UntilSettledAsync(
        Caller caller, ExportRow row, TimeSpan atMost, CancellationToken cancellationToken) =>
        poll.UntilAsync(
            watch,
            (row.Id, row.BatchId),
            async token => await store.FindAsync(caller, row.ExportId, token) ?? row,
            found => ExportState.IsSettled(found.State),
            atMost,
            cancellationToken);
}
