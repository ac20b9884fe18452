namespace ClaimCheck.Consumer.Inbox;

/// <summary>
/// Sends the outbox of receipts to the service: failures first, then the receipt, then the request for a retry. While the service
/// is unreachable, everything waits. Also deletes entries that ended long ago.
/// </summary>
internal sealed partial class ReceiptWorker(
    ClaimCheckClient client, BatchInbox inbox, InboxOptions options, ILogger<ReceiptWorker> logger,
    Func<BatchId, Export, Task>? retrying = null)
    : BackgroundService
{
    private const int AtOnce = 20;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PurgeInterval = TimeSpan.FromHours(1);
    private static readonly TimeSpan LastSend = TimeSpan.FromSeconds(4);

    private readonly ReceiptOutbox receipts = inbox.Receipts;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(ReceiptWorker), SendAsync, logger, stoppingToken);

    private async Task SendAsync(CancellationToken stoppingToken)
    {
        long? purged = null;
        for (var failures = 0; !stoppingToken.IsCancellationRequested;)
        {
            try
            {
                while (await SendDueAsync(stoppingToken))
                    failures = 0;
                if (purged is not { } last || TimeProvider.System.GetElapsedTime(last) > PurgeInterval)
                {
                    await inbox.PurgeAsync(options.Remember, stoppingToken);
                    purged = TimeProvider.System.GetTimestamp();
                }
                await receipts.WaitAsync(Poll, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) // only receipts are late then; it must not stop the host
            {
                var pause = Backoff.After(++failures, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
                if (e is InboxUnavailableException)
                    Log.Unreachable(logger, pause, e.Message);
                else
                    Log.Broken(logger, Defect.Of(e), pause);
                await Task.Delay(pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        await SendLastAsync();
    }

    // The receipts that listeners ended with; what is left is sent after the restart.
    private async Task SendLastAsync()
    {
        using var limit = new CancellationTokenSource(LastSend);
        try
        {
            await SendDueAsync(limit.Token);
        }
        catch (Exception e)
        {
            // It is in the outbox.
            if (e is not (OperationCanceledException or ClaimCheckException))
                Log.Broken(logger, Defect.Of(e), TimeSpan.Zero);
        }
    }

    /// <returns>False where nothing was due.</returns>
    private async Task<bool> SendDueAsync(CancellationToken cancellationToken)
    {
        var due = await receipts.TakeAsync(AtOnce, cancellationToken);
        var sent = 0;
        try
        {
            for (; sent < due.Count; sent++)
                await SendAsync(due[sent], cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The last send, or the next process, need not wait for the end of an unused lease.
            await GiveBackAsync(due[sent..]);
            throw;
        }
        return due.Count > 0;
    }

    private async Task GiveBackAsync(List<DueReceipt> unsent)
    {
        using var cleanUp = new CancellationTokenSource(LastSend);
        try
        {
            foreach (var receipt in unsent)
                await receipts.AgainAsync(receipt, TimeSpan.Zero, cleanUp.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or InboxUnavailableException)
        {
            // Their leases expire by themselves.
        }
    }

    private async Task SendAsync(DueReceipt receipt, CancellationToken cancellationToken)
    {
        try
        {
            if (!receipt.IsSent)
                await TellAsync(receipt, cancellationToken);
            if (receipt.RetryBatchId is { } failed)
                await AskForRetryAsync(receipt, failed, cancellationToken);
        }
        // Nobody waits for it; or it came too late: the receipt has ended.
        catch (ClaimCheckException e) when (
            e is BatchEndedException or NotFoundException
            || (e is RequestRejectedException && !ReceiptState.IsEnd(receipt.Report.State)))
        {
            Log.Dropped(logger, receipt.Report.State, receipt.BatchId, e.Code);
            await receipts.DoneAsync(receipt, cancellationToken);
        }
        catch (RequestRejectedException e)
        {
            Log.Refused(logger, receipt.Report.State, receipt.BatchId, e.Code, e.Message);
            await receipts.RefusedAsync(receipt, e.Code, cancellationToken);
        }
        catch (ClaimCheckException e) when (e is not InboxUnavailableException)
        {
            var pause = Backoff.After(receipt.Attempts, options.ReceiptRetryDelay, options.MaxReceiptRetryDelay);
            if (e is RetryTooEarlyException { RetryAfter: { } asked } && asked > TimeSpan.Zero)
                pause = asked;
            else
                Log.NotSent(logger, receipt.Report.State, receipt.BatchId, pause, e.Code);
            await receipts.AgainAsync(receipt, pause, cancellationToken);
        }
        catch (Exception e) when (e is not (OperationCanceledException or InboxUnavailableException))
        {
            // Whatever is wrong with this one, those behind it are sent.
            var pause = Backoff.After(receipt.Attempts, options.ReceiptRetryDelay, options.MaxReceiptRetryDelay);
            Log.Unexpected(logger, Defect.Of(e), receipt.Report.State, receipt.BatchId, pause);
            await receipts.AgainAsync(receipt, pause, cancellationToken);
        }
    }

    private async Task TellAsync(DueReceipt receipt, CancellationToken cancellationToken)
    {
        if (ReceiptState.IsEnd(receipt.Report.State) && receipt.Report.Transient + receipt.Report.Terminal > 0)
        {
            await client.PostFailuresAsync(
                receipt.BatchId, inbox.Consumer, receipts.FailuresAsync(receipt.BatchId, cancellationToken), cancellationToken);
        }
        await client.PutReceiptAsync(receipt.BatchId, inbox.Consumer, receipt.Report, cancellationToken);
        await receipts.SentAsync(receipt, cancellationToken);
        Log.Sent(logger, receipt.Report.State, receipt.BatchId);
    }

    private async Task AskForRetryAsync(DueReceipt receipt, BatchId failed, CancellationToken cancellationToken)
    {
        try
        {
            var retry = await client.RetryAsync(failed, inbox.Consumer, cancellationToken);
            Log.Retrying(logger, failed, retry.BatchId);
            if (retrying is not null)
                await retrying(failed, retry);
        }
        catch (RequestRejectedException e) when (e.Code == ProblemCodes.NothingToRetry)
        {
            Log.NothingToRetry(logger, failed);
        }
        await receipts.DoneAsync(receipt, cancellationToken);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "The service is told that batch {BatchId} is {State}.")]
        public static partial void Sent(ILogger logger, string state, BatchId batchId);

        [LoggerMessage(LogLevel.Information, "The transient failures of batch {BatchId} are exported again, as batch {Retry}.")]
        public static partial void Retrying(ILogger logger, BatchId batchId, BatchId retry);

        [LoggerMessage(LogLevel.Debug, "Nothing of batch {BatchId} is left to retry.")]
        public static partial void NothingToRetry(ILogger logger, BatchId batchId);

        [LoggerMessage(
            LogLevel.Information, "The receipt {State} of batch {BatchId} was refused by the service and is dropped ({Code}).")]
        public static partial void Dropped(ILogger logger, string state, BatchId batchId, string code);

        [LoggerMessage(LogLevel.Error, "The service refuses the receipt {State} of batch {BatchId} ({Code}); it stays in the "
            + "inbox, and is not sent again. {Reason}")]
        public static partial void Refused(ILogger logger, string state, BatchId batchId, string code, string reason);

        [LoggerMessage(
            LogLevel.Warning, "The receipt {State} of batch {BatchId} could not be sent ({Code}), trying again in {Pause}.")]
        public static partial void NotSent(ILogger logger, string state, BatchId batchId, TimeSpan pause, string code);

        [LoggerMessage(LogLevel.Error, "The receipt {State} of batch {BatchId} can't be sent, trying again in {Pause}.")]
        public static partial void Unexpected(ILogger logger, Exception exception, string state, BatchId batchId, TimeSpan pause);

        [LoggerMessage(LogLevel.Warning, "Receipts can't be read from the inbox, trying again in {Pause}: {Reason}")]
        public static partial void Unreachable(ILogger logger, TimeSpan pause, string reason);

        [LoggerMessage(LogLevel.Error, "Receipts can't be sent, trying again in {Pause}.")]
        public static partial void Broken(ILogger logger, Exception exception, TimeSpan pause);
    }
}
