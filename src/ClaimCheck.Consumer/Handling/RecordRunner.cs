namespace ClaimCheck.Consumer.Handling;

/// <summary>The batches that a <see cref="RecordRunner"/> applies, and how.</summary>
/// <param name="Client">The service.</param>
/// <param name="Reader">Reads the batches.</param>
/// <param name="Consumer">The name that the inbox and receipts are kept under.</param>
/// <param name="StateCheckInterval">How often the service is asked whether a batch that is being applied was revoked.</param>
/// <param name="Retrying">Called, at least once, with a retry batch that the service has created; null where
/// nobody needs it.</param>
internal sealed record RecordRunnerContext(
    ClaimCheckClient Client, BatchReader Reader, string Consumer, TimeSpan StateCheckInterval,
    Func<BatchId, Export, Task>? Retrying);

/// <summary>The state of a batch in the inbox.</summary>
/// <param name="IsRevoked">Whether it is revoked; else it is applied.</param>
/// <param name="Counts">The outcomes of its records.</param>
internal sealed record RecordRunResult(bool IsRevoked, RecordCounts Counts);

/// <summary>
/// Applies batches with an inbox but without a listener: for a process that finds out by itself what is ready, and decides when
/// to apply it. Checkpoints, outcomes, receipts and retries are those of the listeners. One for each inbox; <see
/// cref="RunAsync"/> sends its receipts.
/// </summary>
internal sealed class RecordRunner : IAsyncDisposable
{
    private readonly RecordRunnerContext context;
    private readonly InboxDatabase database;
    private readonly BatchInbox inbox;
    private readonly ReceiptWorker sender;
    private readonly ILogger logger;

    public RecordRunner(RecordRunnerContext context, InboxOptions inboxOptions, ILoggerFactory loggers)
    {
        this.context = context;
        database = new(inboxOptions);
        inbox = new(
            database, new ReceiptOutbox(database, context.Consumer, inboxOptions.Lease), context.Consumer, inboxOptions.Lease);
        sender = new(context.Client, inbox, inboxOptions, loggers.CreateLogger<ReceiptWorker>(), context.Retrying);
        logger = loggers.CreateLogger("ClaimCheck.Consumer.Handling.RecordBatchHandler");
    }

    public InboxDatabase Database => database;

    /// <summary>Applies a batch, or what is left of it.</summary>
    /// <exception cref="BatchEndedException">Nothing is left to apply.</exception>
    public async Task<RecordRunResult> ApplyAsync(
        IRecordHandler<Record> handler, BulkReadyData ready, RecordOptions options, CancellationToken cancellationToken)
    {
        using var watch = context.Reader.Watch(ready.BatchId);
        using var applied = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var checking = new StateCheck(context.Client, context.Reader, context.StateCheckInterval, TimeProvider.System)
            .RunAsync(ready.BatchId, applied.Token);
        try
        {
            watch.ThrowIfRevoked();
            await Handler(handler, options).ApplyAsync(new(context.Reader, ready, watch.Token), cancellationToken);
        }
        catch (BatchRevokedException)
        {
            context.Reader.MarkRevoked(ready.BatchId);
            throw;
        }
        catch (OperationCanceledException)
            when (watch.Token.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            watch.ThrowIfRevoked();
            throw;
        }
        finally
        {
            await applied.CancelAsync();
            await checking;
        }
        var (entry, counts) = await inbox.LookAsync(ready.BatchId, cancellationToken);
        return new(entry == InboxEntry.Revoked, counts);
    }

    /// <summary>Records that a batch is revoked, and has the handler discard it, once.</summary>
    public Task DiscardAsync(
        IRecordHandler<Record> handler, BatchId batch, string dataset, string? reason, CancellationToken cancellationToken)
    {
        context.Reader.MarkRevoked(batch);
        return Handler(handler, new()).DiscardAsync(batch, dataset, reason, null, cancellationToken);
    }

    /// <summary>Sends receipts, and requests retries, until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        await sender.StartAsync(stoppingToken);
        await Task.Delay(Timeout.InfiniteTimeSpan, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await sender.StopAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        sender.Dispose();
        await database.DisposeAsync();
    }

    private RecordBatchHandler<Record> Handler(IRecordHandler<Record> handler, RecordOptions options) =>
        new(handler, inbox, options, logger);
}
