namespace ClaimCheck.Adapter.Steps;

/// <summary>Asks for a revocation where no event announces one.</summary>
internal sealed partial class RevocationCheck(
    CheckedAdapterOptions options, ClaimCheckClient client, ILogger<RevocationCheck> logger) : IDisposable
{
    private const string Step = "revocationCheck";
    private readonly TimeProvider time = TimeProvider.System;
    private readonly SemaphoreSlim pace = new(1);

    /// <returns>Whether the batch was found to be revoked, and the delivery's state changed accordingly.</returns>
    public async Task<bool> IsRevokedAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var (looks, now, document) = (delivery.Looks, time.GetUtcNow(), delivery.Document);
        if (now >= (document.BatchExpiresAt ?? DateTimeOffset.MaxValue))
        {
            looks.NextRevocationCheckAt = DateTimeOffset.MaxValue;
            return false;
        }

        // Otherwise all delivered batches would be asked for at once after a start.
        looks.NextRevocationCheckAt ??= now + (options.Polling.RevocationInterval * Random.Shared.NextDouble());
        if (now < looks.NextRevocationCheckAt)
            return false;
        await PaceAsync(cancellationToken);
        looks.NextRevocationCheckAt = time.GetUtcNow() + PollInterval.Jittered(options.Polling.RevocationInterval);
        try
        {
            var batch = await client.GetBatchAsync(document.BatchId!.Value, cancellationToken);
            await delivery.NoteAsync(
                each => each.LastFailure?.Step == Step ? each with { LastFailure = null } : null, CancellationToken.None);
            if (batch.State == ExportState.Revoked)
            {
                Log.Revoked(logger, document.Id, document.BatchId.Value);
                return await delivery.ChangeAsync(each => each.RevokedBySource(batch.Reason), CancellationToken.None);
            }

            if (batch.State != ExportState.Ready)
                looks.NextRevocationCheckAt = DateTimeOffset.MaxValue; // an end state that never changes
        }
        catch (NotFoundException)
        {
            looks.NextRevocationCheckAt = DateTimeOffset.MaxValue;
        }
        catch (ClaimCheckException e)
        {
            Log.NotChecked(logger, document.Id, e.Message);
            var failure = StepFailure.After(
                document.LastFailure, Step, e.Code, e.Message, time.GetUtcNow(),
                looks.NextRevocationCheckAt.Value - time.GetUtcNow());
            await delivery.NoteAsync(each => each with { LastFailure = failure }, CancellationToken.None);
        }

        return false;
    }

    public void Dispose() => pace.Dispose();

    private async Task PaceAsync(CancellationToken cancellationToken)
    {
        await pace.WaitAsync(cancellationToken);
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(1 / options.Polling.RevocationChecksPerSecond), time, cancellationToken);
        }
        finally
        {
            pace.Release();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Information, "Delivery {DeliveryId}: batch {BatchId} was revoked, and its pushed files will be removed.")]
        public static partial void Revoked(ILogger logger, string deliveryId, BatchId batchId);

        [LoggerMessage(
            LogLevel.Warning, "Delivery {DeliveryId}: whether its batch was revoked could not be determined. {Reason}")]
        public static partial void NotChecked(ILogger logger, string deliveryId, string reason);
    }
}
