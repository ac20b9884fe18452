namespace ClaimCheck.Consumer.Listening;

/// <summary>
/// Passes events to a handler: a limited number of batches at once, each by one handler at a time. A duplicate that arrives while
/// the same event is being handled shares its outcome. A revocation ends the reads of its batch before it waits for anything.
/// </summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "A SemaphoreSlim has nothing to dispose of unless its wait handle is asked for.")]
internal sealed partial class BatchDispatcher(
    HandlerScopes handlers, BatchReader reader, StateCheck stateCheck, int maxConcurrentBatches, ILogger logger)
{
    private readonly Lock guard = new();
    private readonly Dictionary<(string Type, BatchId Batch), Task<Settlement>> running = [];
    private readonly SemaphoreSlim slots = new(maxConcurrentBatches);

    /// <param name="incoming">The event.</param>
    /// <param name="stoppingToken">Once it is cancelled, nothing more is begun.</param>
    /// <param name="cancellationToken">Also cancels what has begun.</param>
    /// <exception cref="OperationCanceledException">A token was cancelled: nothing is settled.</exception>
    public async Task<Settlement> DispatchAsync(
        IncomingEvent incoming, CancellationToken stoppingToken, CancellationToken cancellationToken)
    {
        if (incoming.BatchId is not { } batch)
        {
            Log.NotForHandlers(logger, incoming.Event.Type, incoming.Event.Id);
            return Settlement.Done;
        }
        // First, so that the handler is told of a revocation that holds already; not under the lock: the callbacks of the
        // reads' tokens run here.
        if (incoming.Data is BulkRevokedData && reader.MarkRevoked(batch))
            Log.Revoked(logger, batch);
        Task<Settlement>? work, before = null;
        lock (guard)
        {
            if (incoming.Data is BulkRevokedData)
                running.TryGetValue((ReadyType, batch), out before);
            var key = (incoming.Event.Type, batch);
            if (!running.TryGetValue(key, out work))
                running[key] = work = RunAsync(key, incoming, before, stoppingToken, cancellationToken);
            else
                Log.Coalesced(logger, incoming.Event.Type, incoming.Event.Id, batch);
        }
        return await work.WaitAsync(cancellationToken);
    }

    private static string ReadyType { get; } = EventTypes.ToCloudEventType(EventTypes.BulkReady);

    private async Task<Settlement> RunAsync(
        (string Type, BatchId Batch) key, IncomingEvent incoming, Task<Settlement>? before, CancellationToken stoppingToken,
        CancellationToken cancellationToken)
    {
        await Task.Yield(); // nothing of the handler runs under the lock
        try
        {
            // Whatever its outcome, that concerns its own event.
            if (before is not null)
                await ((Task)before).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            return await TryAsync(incoming, key.Batch, stoppingToken, cancellationToken);
        }
        finally
        {
            lock (guard)
                running.Remove(key);
        }
    }

    private async Task<Settlement> TryAsync(
        IncomingEvent incoming, BatchId batch, CancellationToken stoppingToken, CancellationToken cancellationToken)
    {
        try
        {
            if (incoming.Data is BulkReadyData ready)
                return await HandleAsync(incoming, ready, stoppingToken, cancellationToken);
            await using var scope = handlers.Create();
            using var activity = ConsumerTracing.Begin(incoming);
            var handler = handlers.HandlerOf(scope);
            await (incoming.Data switch
            {
                BulkRevokedData revoked => handler.OnRevokedAsync(revoked, cancellationToken),
                BulkCancelledData cancelled => handler.OnCancelledAsync(cancelled, cancellationToken),
                BulkFailedData failed => handler.OnFailedAsync(failed, cancellationToken),
                _ => Task.CompletedTask,
            });
            return Settlement.Done;
        }
        catch (OperationCanceledException)
            when (stoppingToken.IsCancellationRequested || cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (BatchRejectedException e)
        {
            Log.Rejected(logger, e, batch);
            return Settlement.Done;
        }
        catch (Exception e) // whatever a handler throws concerns its own event only
        {
            Log.Failed(logger, e, incoming.Event.Type, incoming.Event.Id, batch, incoming.Attempt);
            return Settlement.Again;
        }
    }

    private async Task<Settlement> HandleAsync(
        IncomingEvent incoming, BulkReadyData ready, CancellationToken stoppingToken, CancellationToken cancellationToken)
    {
        var batch = ready.BatchId;
        using var watch = reader.Watch(batch);
        if (!await EnterAsync(watch, stoppingToken, cancellationToken))
        {
            Log.NotHandled(logger, batch);
            return Settlement.Done;
        }
        try
        {
            using var handled = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var checking = stateCheck.RunAsync(batch, handled.Token);
            try
            {
                await using var scope = handlers.Create();
                using var activity = ConsumerTracing.Begin(incoming);
                var handler = handlers.HandlerOf(scope);
                await handler.HandleAsync(
                    new BatchContext(reader, incoming, ready, watch.Token, cancellationToken), cancellationToken);
                Log.Handled(logger, batch, ready.Dataset);
                return Settlement.Done;
            }
            catch (BatchEndedException e)
            {
                if (e is BatchRevokedException)
                    reader.MarkRevoked(batch);
                Log.Ended(logger, batch, e.Code);
                return Settlement.Done;
            }
            catch (Exception) when (watch.Token.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // However it failed: retrying a revoked batch is useless.
                Log.Ended(logger, batch, ProblemCodes.BatchRevoked);
                return Settlement.Done;
            }
            finally
            {
                await handled.CancelAsync();
                await checking;
            }
        }
        finally
        {
            slots.Release();
        }
    }

    /// <returns>False where the batch is revoked: then no slot is taken.</returns>
    private async Task<bool> EnterAsync(
        RevocationWatch watch, CancellationToken stoppingToken, CancellationToken cancellationToken)
    {
        using var begin = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, cancellationToken, watch.Token);
        try
        {
            await slots.WaitAsync(begin.Token);
            return true;
        }
        catch (OperationCanceledException) when (watch.Token.IsCancellationRequested)
        {
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Batch {BatchId} of {Dataset} is handled.")]
        public static partial void Handled(ILogger logger, BatchId batchId, string dataset);

        [LoggerMessage(LogLevel.Information, "Batch {BatchId} has ended ({Code}): nothing is left to handle.")]
        public static partial void Ended(ILogger logger, BatchId batchId, string code);

        [LoggerMessage(LogLevel.Information, "Batch {BatchId} is not handled: it was revoked.")]
        public static partial void NotHandled(ILogger logger, BatchId batchId);

        [LoggerMessage(LogLevel.Information, "Batch {BatchId} is revoked: its reads are stopped.")]
        public static partial void Revoked(ILogger logger, BatchId batchId);

        [LoggerMessage(LogLevel.Error, "Batch {BatchId} was rejected by its handler, and is not tried again.")]
        public static partial void Rejected(ILogger logger, Exception exception, BatchId batchId);

        [LoggerMessage(LogLevel.Warning, "{Type} {EventId} of batch {BatchId} failed at try {Try} and is to be tried again.")]
        public static partial void Failed(
            ILogger logger, Exception exception, string type, Contracts.EventId eventId, BatchId batchId, int @try);

        [LoggerMessage(
            LogLevel.Debug, "{Type} {EventId} comes again while batch {BatchId} is being handled, and shares its outcome.")]
        public static partial void Coalesced(ILogger logger, string type, Contracts.EventId eventId, BatchId batchId);

        [LoggerMessage(LogLevel.Debug, "{Type} {EventId} is acknowledged: no handler method exists for its type.")]
        public static partial void NotForHandlers(ILogger logger, string type, Contracts.EventId eventId);
    }
}
