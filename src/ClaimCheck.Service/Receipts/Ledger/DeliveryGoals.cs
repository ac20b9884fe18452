namespace ClaimCheck.Service.Receipts.Ledger;

/// <summary>Whether a batch meets its dataset's definition of success: who is to have it, by when, and how many terminal failures
/// it may have. fail terminally. Met and missed are final; missed is announced once, in the transaction that finds it.</summary>
internal static class DeliveryGoals
{
    public const string Pending = "pending";
    public const string Met = "met";
    public const string Missed = "missed";

    /// <summary>Checks whether it is met, or can't be met, or its time is over.</summary>
    /// <returns>True where this transaction has found it missed.</returns>
    public static async Task<bool> SettleAsync(Transaction transaction, BatchId batch, CancellationToken cancellationToken)
    {
        // The row lock makes the second of two simultaneous reports of "completed" see the first one.
        var delivery = await transaction.QuerySingleOrDefaultAsync<DeliveryRow>(
            """
            SELECT consumers, max_terminal_ratio, due_at, coalesce(due_at <= now(), false) AS is_due, now() AS now
              FROM delivery_goals
             WHERE batch_id = @Id AND state = 'pending'
               FOR UPDATE
            """,
            new { Id = batch.Value },
            cancellationToken);
        if (delivery is null)
            return false;
        var export = await transaction.QuerySingleAsync<ExportFacts>(
            "SELECT id, tenant, dataset, state, records FROM exports WHERE batch_id = @Id",
            new { Id = batch.Value },
            cancellationToken);
        var receipts = (await transaction.ListAsync<ReceiptRow>(
            $"SELECT {ReceiptRow.Columns} FROM receipts r WHERE batch_id = @Id AND consumer = ANY(@Consumers)",
            new { Id = batch.Value, delivery.Consumers },
            cancellationToken)).ToDictionary(row => row.Consumer, StringComparer.Ordinal);

        var missing = delivery.Consumers
            .Where(consumer => !Has(receipts.GetValueOrDefault(consumer), export.Records, delivery.MaxTerminalRatio)).ToList();
        if (missing.Count == 0)
        {
            await EndAsync(transaction, batch, Met, cancellationToken);
            return false;
        }

        var isBeyondRepair = missing.Exists(consumer => receipts.GetValueOrDefault(consumer)
            is { Transient: 0, State: ReceiptState.PartiallyFailed or ReceiptState.Failed });
        // A revoked batch can't be overdue.
        if ((!delivery.IsDue && !isBeyondRepair) || export.State == ExportState.Revoked)
            return false;
        await EndAsync(transaction, batch, Missed, cancellationToken);
        await Outbox.AddAsync(
            transaction,
            EventTypes.BulkOverdue,
            new(export.Id, batch.Value, export.Tenant, export.Dataset),
            // Without a time limit it is missed when it can't be met.
            new BulkOverdueData(new(export.Id), batch, export.Dataset, missing, delivery.DueAt ?? delivery.Now),
            cancellationToken);
        return true;
    }

    /// <summary>The consumer has applied the batch, as far as the definition requires.</summary>
    public static bool Has(ReceiptRow? receipt, long records, double maxTerminalRatio) => receipt switch
    {
        { State: ReceiptState.Completed } => true,
        { State: ReceiptState.PartiallyFailed, Transient: 0 } => receipt.Terminal <= maxTerminalRatio * records,
        _ => false,
    };

    private static Task EndAsync(Transaction transaction, BatchId batch, string state, CancellationToken cancellationToken) =>
        transaction.ExecuteAsync(
            "UPDATE delivery_goals SET state = @state, settled_at = now() WHERE batch_id = @Id AND state = 'pending'",
            new { Id = batch.Value, state },
            cancellationToken);

    private sealed record DeliveryRow
    {
        public required string[] Consumers { get; init; }
        public required double MaxTerminalRatio { get; init; }
        public DateTimeOffset? DueAt { get; init; }
        public required bool IsDue { get; init; }
        public required DateTimeOffset Now { get; init; }
    }

    private sealed record ExportFacts(Guid Id, string Tenant, string Dataset, string State, long Records);
}
