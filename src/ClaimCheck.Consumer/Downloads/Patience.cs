namespace ClaimCheck.Consumer.Downloads;

/// <summary>Counts tries without progress, pauses between them, and decides when to give up. Progress resets the count.</summary>
internal sealed class Patience(ClaimedManifest claim, string what)
{
    private int failures;

    public void Progress() => failures = 0;

    public async Task AfterAsync(TransferException failure, CancellationToken cancellationToken)
    {
        if (++failures < claim.Options.MaxAttempts)
        {
            await Task.Delay(
                Backoff.After(failures, claim.Options.RetryDelay, ClaimCheckClientOptions.LongestRetryDelay, failure.RetryAfter),
                cancellationToken);
            return;
        }
        throw failure.IsAltered
            ? new IntegrityException(
                $"{what} of {claim.BatchId} does not match the manifest after {failures} tries: {failure.Message}.",
                claim.BatchId)
            : new DownloadFailedException(
                $"{what} of {claim.BatchId} could not be fetched in {failures} tries: {failure.Message}.",
                claim.BatchId,
                failure.InnerException);
    }
}
