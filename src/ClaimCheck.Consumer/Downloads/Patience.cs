using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Downloads;

/// <summary>Counts tries without progress, pauses between them, and decides when to give up. Progress resets the count.</summary>
internal sealed class Patience(BatchReaderOptions options, BatchId batch, string what)
{
    private int failures;

    public void Progress() => failures = 0;

    public async Task AfterAsync(TransferException failure, CancellationToken cancellationToken)
    {
        if (++failures < options.MaxAttempts)
        {
            await RetryPause.WaitAsync(failures, options.RetryDelay, failure.RetryAfter, cancellationToken);
            return;
        }
        throw failure.IsAltered
            ? new IntegrityException($"{what} of {batch} does not match the manifest after {failures} tries: {failure.Message}.", batch)
            : new DownloadFailedException(
                $"{what} of {batch} could not be fetched in {failures} tries: {failure.Message}.", batch, failure.InnerException);
    }
}
