using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Hosting;

namespace ClaimCheck.Service.Exports;

/// <summary>Waits until an export is ready or ended, for callers that asked to (<c>Prefer: wait=N</c>).</summary>
internal sealed class ExportWaiting(ExportStore store, CatalogSignals signals, TimeProvider time, IHostApplicationLifetime lifetime)
{
    // A lost notification costs at most this.
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    /// <returns>The export as it is then; still unsettled when the time is up or the service stops.</returns>
    public async Task<ExportRow> UntilSettledAsync(Caller caller, ExportRow row, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var signal = signals.Listen(CatalogSignals.Of(row.Batch));
        var began = time.GetTimestamp();
        while (true)
        {
            row = await store.FindAsync(caller, row.ExportId, cancellationToken) ?? row;
            var left = atMost - time.GetElapsedTime(began);
            if (ExportState.IsSettled(row.State) || left <= TimeSpan.Zero)
                return row;
            try
            {
                await signal.WaitAsync(left < LookAgain ? left : LookAgain, stopping.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return row;
            }
        }
    }
}
