namespace ClaimCheck.Service.Exporting;

/// <summary>Renews a lease while its work runs, and reports progress. Cancels the work when the lease is lost: when the catalog
/// says so, or when it could not be asked for as long as the lease lasts.</summary>
internal sealed class Heartbeat : IDisposable
{
    // Often enough for a live progress bar; for the lease itself a third of its time would do.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource stop = new();
    private readonly Task beating;

    /// <param name="renew">Renews the lease; false when it is lost.</param>
    /// <param name="lease">How long it lasts.</param>
    /// <param name="lost">Cancelled when the lease is lost.</param>
    public Heartbeat(Func<CancellationToken, Task<bool>> renew, TimeSpan lease, CancellationTokenSource lost) =>
        beating = BeatAsync(renew, lease, lost, stop.Token);

    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await beating;
    }

    public void Dispose() => stop.Dispose();

    private static async Task BeatAsync(
        Func<CancellationToken, Task<bool>> renew, TimeSpan lease, CancellationTokenSource lost, CancellationToken stop)
    {
        var renewed = TimeProvider.System.GetTimestamp();
        try
        {
            while (true)
            {
                await Task.Delay(Interval, stop);
                var asked = TimeProvider.System.GetTimestamp();
                try
                {
                    using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
                    limit.CancelAfter(lease / 3);
                    if (!await renew(limit.Token))
                        break;
                    renewed = asked;
                }
                catch (Exception)
                {
                    // Whatever failed: a lease that is not renewed in time is lost.
                    if (stop.IsCancellationRequested)
                        return;
                    if (TimeProvider.System.GetElapsedTime(renewed) >= lease)
                        break;
                }
            }

            await lost.CancelAsync();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The run has ended.
        }
    }
}
