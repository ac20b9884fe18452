namespace ClaimCheck.Consumer.Handling;

/// <summary>A batch that is ready to be applied.</summary>
/// <param name="Reader">Reads it.</param>
/// <param name="Ready">The announcement, or what the service says of the batch.</param>
/// <param name="Revoked">Cancelled as soon as it is known to be revoked.</param>
internal sealed record BatchWork(BatchReader Reader, BulkReadyData Ready, CancellationToken Revoked)
{
    public BatchId BatchId => Ready.BatchId;

    public override string ToString() => BatchId.ToString();
}

/// <summary>
/// Applies a batch with a record handler: leases it in the inbox, reads it from where it was left, commits chunk by chunk, and
/// ends it. A batch that is applied already, or revoked, is skipped; a batch that another process works on, and an unreachable
/// inbox, are waited for: neither is the message's fault, and its receive count is not used up.
/// </summary>
internal sealed partial class RecordBatchHandler<T>(
    IRecordHandler<T> handler, BatchInbox inbox, RecordOptions options, ILogger logger) : IBatchHandler
{
    private const int DiscardAttempts = 8;

    public Task HandleAsync(BatchContext batch, CancellationToken cancellationToken) =>
        ApplyAsync(new BatchWork(batch.Reader, batch.Ready, batch.Revoked), cancellationToken);

    public Task OnRevokedAsync(BulkRevokedData revoked, CancellationToken cancellationToken) =>
        DiscardAsync(revoked.BatchId, revoked.Dataset, revoked.Reason, revoked.RevokedAt, cancellationToken);

    /// <summary>Applies a batch, however this process has learnt about it.</summary>
    public async Task ApplyAsync(BatchWork batch, CancellationToken cancellationToken)
    {
        try
        {
            await UntilReachedAsync(batch.BatchId, () => TryAsync(batch, cancellationToken), batch.Revoked, cancellationToken);
        }
        catch (Exception e) when (e is BatchRevokedException
            || (batch.Revoked.IsCancellationRequested && !cancellationToken.IsCancellationRequested))
        {
            // The event about it may be late, or not subscribed to.
            await DiscardAtLastAsync(batch, cancellationToken);
            throw;
        }
    }

    /// <summary>Records that a batch is revoked, and has the handler discard it.</summary>
    public async Task DiscardAsync(
        BatchId batch, string dataset, string? reason, DateTimeOffset? revokedAt, CancellationToken cancellationToken)
    {
        var isNew = false;
        await UntilReachedAsync(
            batch,
            async () =>
            {
                isNew = await inbox.RevokeAsync(
                    batch,
                    (transaction, applied) => handler.OnRevokedAsync(
                        new(batch, dataset, reason, revokedAt, applied, transaction.Connection!, transaction), cancellationToken),
                    cancellationToken);
                return true;
            },
            CancellationToken.None, cancellationToken);
        if (isNew)
            Log.Discarded(logger, batch, inbox.Consumer);
    }

    // A batch that is known to be revoked is not passed on again: a handler that fails on it transiently is retried here.
    private async Task DiscardAtLastAsync(BatchWork batch, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await DiscardAsync(batch.BatchId, batch.Ready.Dataset, null, null, cancellationToken);
                return;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                Log.NotDiscarded(logger, batch.BatchId, attempt, DiscardAttempts, e.GetType().Name);
                if (attempt == DiscardAttempts)
                    throw;
            }
            await Task.Delay(Backoff.After(attempt, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10)), cancellationToken);
        }
    }

    /// <returns>True where nothing is left to do; false where it is to be tried again at once.</returns>
    private async Task<bool> TryAsync(BatchWork batch, CancellationToken cancellationToken)
    {
        if (await EnterAsync(batch, cancellationToken) is not { } lease)
            return true;
        await using var held = await HeldBatch.OpenAsync(
            inbox, lease, () => batch.Reader.MarkRevoked(batch.BatchId), cancellationToken);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(batch.Revoked, held.Lost);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(gone.Token, cancellationToken);
        try
        {
            await using (var read = batch.Reader.Open(batch.Ready, held.Position, ended.Token))
                await ApplyAsync(batch.Ready, read, held, gone.Token, ended.Token);
            await EndAsync(batch.Ready, held, ended.Token);
            Log.Applied(
                logger, batch.BatchId, inbox.Consumer, held.Counts.Succeeded, held.Counts.Transient, held.Counts.Terminal);
            return true;
        }
        catch (Exception e) when (
            (e is BatchLeaseLostException || held.Lost.IsCancellationRequested)
            && !batch.Revoked.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            Log.TakenOver(logger, batch.BatchId);
            return false;
        }
        catch (Exception e) when (e is not ClaimCheckException && !held.IsConnected && !ended.IsCancellationRequested)
        {
            throw InboxDatabase.Unavailable(e, batch.BatchId);
        }
    }

    private async Task ApplyAsync(
        BulkReadyData ready, Downloads.BatchRead read, HeldBatch held, CancellationToken gone,
        CancellationToken cancellationToken)
    {
        var manifest = await read.OpenAsync();
        if (held.Counts.Records != held.Position.Records)
            throw new IntegrityException($"The inbox's counts of {ready.BatchId} do not match its position.", ready.BatchId);
        var buffer = new ChunkBuffer<T>(read, ready, options.ChunkSize);
        if (held.Position.Records > 0)
            Log.Resumed(logger, ready.BatchId, held.Position);
        await handler.OnBatchStartingAsync(new(ready, manifest, held.Position, held.Counts, held.Connection), cancellationToken);
        var told = TimeProvider.System.GetTimestamp();
        while (await read.NextBlockAsync())
        {
            while (buffer.Fill())
            {
                read.ThrowIfEnded();
                var tell = TimeProvider.System.GetElapsedTime(told) >= options.ReceiptInterval;
                await new ChunkRunner<T>(handler, held, buffer, options, logger).RunAsync(tell, gone, cancellationToken);
                if (tell)
                    told = TimeProvider.System.GetTimestamp();
            }
        }
        if (held.Counts.Records != manifest.Records)
        {
            throw new IntegrityException(
                $"{held.Counts.Records} outcomes of {ready.BatchId} are known, but its manifest states "
                + $"{manifest.Records} records.",
                ready.BatchId);
        }
    }

    private async Task EndAsync(BulkReadyData ready, HeldBatch held, CancellationToken cancellationToken)
    {
        try
        {
            await using var transaction = await held.BeginAsync(cancellationToken);
            await handler.OnBatchCompletedAsync(new(ready, held.Counts, held.Connection, transaction), cancellationToken);
            // A retry's outcomes are folded into the batch that it retries: the next round is requested there.
            await held.SettleAsync(
                transaction, options.RetryTransient ? ready.RetryOf ?? ready.BatchId : null, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is not BatchLeaseLostException
            && (!held.IsConnected || InboxDatabase.Passes(e)))
        {
            throw InboxDatabase.Unavailable(e, ready.BatchId);
        }
    }

    /// <returns>Null where nothing is left to apply.</returns>
    private async Task<BatchLease?> EnterAsync(BatchWork batch, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(batch.Revoked, cancellationToken);
        for (var waited = false; ; waited = true)
        {
            var (entry, lease) = await inbox.EnterAsync(batch.BatchId, ended.Token);
            switch (entry)
            {
                case InboxEntry.Held:
                    return lease;
                case InboxEntry.Busy:
                    if (!waited)
                        Log.Waiting(logger, batch.BatchId);
                    await Task.Delay(TimeSpan.FromSeconds(Math.Min(1, inbox.Lease.TotalSeconds / 4)), ended.Token);
                    break;
                default:
                    Log.NothingLeft(logger, batch.BatchId, entry);
                    return null;
            }
        }
    }

    // For as long as it takes: the message is kept hidden meanwhile, and returns to its queue when its time is over.
    private async Task UntilReachedAsync(
        BatchId batch, Func<Task<bool>> work, CancellationToken revoked, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(revoked, cancellationToken);
        for (var failures = 0; ;)
        {
            try
            {
                if (await work())
                    return;
                failures = 0;
            }
            catch (InboxUnavailableException e)
            {
                var pause = Backoff.After(++failures, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10));
                Log.Unreachable(logger, batch, pause, e.Message);
                await Task.Delay(pause, ended.Token);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Batch {BatchId} is applied by {Consumer}: {Succeeded} records succeeded, "
            + "{Transient} failures are transient, {Terminal} terminal.")]
        public static partial void Applied(
            ILogger logger, BatchId batchId, string consumer, long succeeded, long transient, long terminal);

        [LoggerMessage(LogLevel.Information, "Batch {BatchId} continues at {Position}.")]
        public static partial void Resumed(ILogger logger, BatchId batchId, BatchPosition position);

        [LoggerMessage(LogLevel.Information, "Batch {BatchId} is discarded by {Consumer}.")]
        public static partial void Discarded(ILogger logger, BatchId batchId, string consumer);

        [LoggerMessage(LogLevel.Error,
            "Batch {BatchId} is revoked, but its handler failed to discard it ({Kind}), at try {Try} of {Tries}.")]
        public static partial void NotDiscarded(ILogger logger, BatchId batchId, int @try, int tries, string kind);

        [LoggerMessage(LogLevel.Information, "Another process works on batch {BatchId}: it is waited for.")]
        public static partial void Waiting(ILogger logger, BatchId batchId);

        [LoggerMessage(LogLevel.Debug, "Nothing is left to apply of batch {BatchId}: {Entry}.")]
        public static partial void NothingLeft(ILogger logger, BatchId batchId, InboxEntry entry);

        [LoggerMessage(
            LogLevel.Warning, "Batch {BatchId} was taken over by another process, and uncommitted work is rolled back.")]
        public static partial void TakenOver(ILogger logger, BatchId batchId);

        [LoggerMessage(LogLevel.Warning, "Batch {BatchId} waits for the inbox, trying again in {Pause}: {Reason}")]
        public static partial void Unreachable(ILogger logger, BatchId batchId, TimeSpan pause, string reason);
    }
}
