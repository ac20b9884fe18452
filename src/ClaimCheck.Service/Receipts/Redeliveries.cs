namespace ClaimCheck.Service.Receipts;

/// <summary>Offers an existing batch once more, to one consumer alone.</summary>
internal sealed partial class Redeliveries(NpgsqlDataSource catalog, ILogger<Redeliveries> logger)
{
    // Each one is an event, and a manifest in staging.
    private const int MostEvents = 1000;

    /// <returns>The new event, or the refusal.</returns>
    public async Task<(Redelivery? Redelivery, Refused? Refusal)> AskAsync(
        Caller caller, BatchId id, string consumer, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        if (await ReportedBatch.FindAsync(transaction, caller, id, cancellationToken) is not { } found)
            return (null, Refused.NotFound("batch"));
        if (ReportedBatch.Refusal(caller, found, consumer) is { } other)
            return (null, other);
        var (batch, early) = await ReportedBatch.ReadyAsync(transaction, id, cancellationToken);
        if (early is not null)
            return (null, early);

        // The index is outbox_of_batch.
        if (await transaction.ExecuteScalarAsync<long>(
            "SELECT count(*) FROM outbox WHERE batch_id = @Id", new { Id = id.Value }, cancellationToken) >= MostEvents)
        {
            return (null, new Refused(
                ProblemCodes.LimitReached,
                $"The feed keeps {MostEvents} events of this batch: no more are created until the first have expired."));
        }

        var eventId = await Outbox.AddAsync(
            transaction,
            EventTypes.BulkReady,
            new(batch.Id, batch.BatchId, batch.Tenant, batch.Dataset, consumer),
            new ReadyFacts(
                batch.ExportId,
                batch.Batch,
                batch.Dataset,
                batch.SchemaVersion,
                batch.RetryOf is { } original ? new BatchId(original) : null,
                batch.Records,
                batch.Bytes,
                batch.Files,
                batch.Format,
                batch.Compression),
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Log.Offered(logger, id, consumer);
        return (new(eventId, id, consumer), null);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Batch {BatchId} is offered to {Consumer} once more.")]
        public static partial void Offered(ILogger logger, BatchId batchId, string consumer);
    }
}
