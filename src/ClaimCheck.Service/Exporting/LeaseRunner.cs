namespace ClaimCheck.Service.Exporting;

/// <summary>Runs one leased item, an export or a job, to its outcome: what it ends as, another try, or given back.</summary>
/// <param name="tries">How many tries an item has.</param>
/// <param name="lease">How long a lease lasts.</param>
/// <param name="delay">After the first failed try; it doubles with each.</param>
/// <param name="longestDelay">The maximum.</param>
internal sealed partial class LeaseRunner(int tries, TimeSpan lease, TimeSpan delay, TimeSpan longestDelay, ILogger logger)
{
    private static readonly TimeSpan CleanUp = TimeSpan.FromSeconds(5);

    public async Task RunAsync(LeasedItem item, CancellationToken stoppingToken)
    {
        using var lost = new CancellationTokenSource();
        using var heartbeat = new Heartbeat(item.Renew, lease, lost);
        try
        {
            await item.Work(lost.Token, stoppingToken);
        }
        catch (Exception e) when (lost.IsCancellationRequested || e is LeaseLostException)
        {
            Log.Lost(logger, item.Name);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Given back at once: another worker need not wait for the lease to run out.
            await HandBackAsync(item, TimeSpan.Zero, failed: false);
            Log.HandedBack(logger, item.Name);
        }
        catch (Exception e) when (item.Explain(e) is { } failure)
        {
            await TryAgainOrFailAsync(item, failure, e);
        }
        catch (StagingException e)
        {
            await TryAgainOrFailAsync(item, new("staging_unavailable", e.Message, e.IsTransient), e);
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e))
        {
            await TryAgainOrFailAsync(
                item, new("catalog_unavailable", "The service's own database could not be reached.", Transient: true), e);
        }
        catch (Exception e)
        {
            // A defect: another try would not help. The text of an unknown exception may contain data; its type does not.
            Log.Broken(logger, Defect.Of(e), item.Name);
            await TryAgainOrFailAsync(
                item, new(ProblemCodes.InternalError, $"An unexpected {e.GetType().Name} ended the {item.Kind}. It is logged.",
                    Transient: false), e);
        }
        finally
        {
            await heartbeat.StopAsync();
        }
    }

    private async Task TryAgainOrFailAsync(LeasedItem item, ExportFailure failure, Exception cause)
    {
        try
        {
            var failedBefore = failure.Transient
                ? await CatalogErrors.Patient.ExecuteAsync(async token => await item.Tries(token), CancellationToken.None)
                : 0;
            if (!failure.Transient || failedBefore + 1 >= tries)
            {
                await item.Fail(failure);
                return;
            }

            var wait = Backoff.After(failedBefore + 1, delay, longestDelay);
            await HandBackAsync(item, wait, failed: true);
            Log.TriedAgain(logger, item.Name, failure.Code, failure.Detail, wait);
        }
        catch (LeaseLostException)
        {
            Log.Lost(logger, item.Name);
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e))
        {
            // The lease runs out, and another worker continues.
            Log.Unreported(logger, item.Name, cause.GetType().Name, e.Message);
        }
    }

    // On a short token of its own: the worker's is cancelled. If it fails, the lease runs out by itself.
    private async Task HandBackAsync(LeasedItem item, TimeSpan wait, bool failed)
    {
        using var soon = new CancellationTokenSource(CleanUp);
        try
        {
            await item.HandBack(wait, failed, soon.Token);
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e) || e is OperationCanceledException)
        {
            Log.Unreported(logger, item.Name, "hand-back", e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Item} hit a defect of the service.")]
        public static partial void Broken(ILogger logger, Exception exception, string item);

        [LoggerMessage(LogLevel.Information, "This worker has lost the lease of {Item}; what it staged is left to be swept.")]
        public static partial void Lost(ILogger logger, string item);

        [LoggerMessage(LogLevel.Information, "{Item} is pending again: this worker stops.")]
        public static partial void HandedBack(ILogger logger, string item);

        [LoggerMessage(LogLevel.Warning, "{Item} is pending again after {Code}: {Detail} The next try is in {Delay}.")]
        public static partial void TriedAgain(ILogger logger, string item, string code, string detail, TimeSpan delay);

        [LoggerMessage(
            LogLevel.Warning, "The outcome of {Item} ({Cause}) could not be written ({Reason}); its lease runs out instead.")]
        public static partial void Unreported(ILogger logger, string item, string cause, string reason);
    }
}

/// <summary>This worker has lost the lease (expired, revoked, cancelled): whatever it does now must change nothing.</summary>
internal sealed class LeaseLostException() : Exception("The lease is lost.");
