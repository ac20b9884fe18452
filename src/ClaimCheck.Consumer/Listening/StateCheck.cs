namespace ClaimCheck.Consumer.Listening;

/// <summary>
/// Asks the service regularly whether a batch that is being handled was revoked. The BulkRevoked says so too, but it may wait in
/// a queue behind others, while the download of an object continues after its deletion.
/// </summary>
internal sealed class StateCheck(ClaimCheckClient client, BatchReader reader, TimeSpan interval, TimeProvider time)
{
    /// <summary>Ends when it is cancelled, or the batch is known to be revoked; never fails.</summary>
    public async Task RunAsync(BatchId batch, CancellationToken cancellationToken)
    {
        try
        {
            while (!reader.IsMarkedRevoked(batch))
            {
                await Task.Delay(interval, time, cancellationToken);
                if (await IsRevokedAsync(batch, cancellationToken))
                    reader.MarkRevoked(batch);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // It is handled.
        }
    }

    private async Task<bool> IsRevokedAsync(BatchId batch, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.GetBatchAsync(batch, cancellationToken)).State == ExportState.Revoked;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A failed call does not mean a revocation: the read itself finds out the cause.
            return false;
        }
    }
}
