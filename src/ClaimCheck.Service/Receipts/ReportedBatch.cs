namespace ClaimCheck.Service.Receipts;

/// <summary>A batch as the consumers see it that report on it or ask for more of it.</summary>
internal static class ReportedBatch
{
    /// <summary>How many consumers may report on one batch.</summary>
    public const int MostConsumers = 1000;

    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    /// <summary>The batch, where the caller has one by this id.</summary>
    public static async Task<ExportRow?> FindAsync(
        Transaction transaction, Caller caller, BatchId batch, CancellationToken cancellationToken) =>
        await transaction.QuerySingleOrDefaultAsync<ExportRow>(
            $"SELECT {ExportRow.Columns} FROM exports WHERE batch_id = @Id AND tenant = @Tenant",
            new { Id = batch.Value, caller.Tenant },
            cancellationToken);

    /// <summary>The refusal of a further consumer, where the limit of reporting consumers is reached: names cost a caller
    /// nothing.</summary>
    public static async Task<Refused?> IsFullAsync(Transaction transaction, BatchId batch, CancellationToken cancellationToken) =>
        await transaction.ExecuteScalarAsync<long>(
            "SELECT count(*) FROM receipts WHERE batch_id = @Id", new { Id = batch.Value }, cancellationToken) < MostConsumers
            ? null
            : new Refused(ProblemCodes.LimitReached, $"{MostConsumers} consumers have reported on this batch.");

    /// <summary>A batch that more is asked of. A revocation comes first, and this is refused; or it comes after what is made
    /// now.</summary>
    /// <returns>The batch, locked against its end, and the refusal where it is not ready.</returns>
    public static async Task<(ExportRow Batch, Refused? Refusal)> ReadyAsync(
        Transaction transaction, BatchId id, CancellationToken cancellationToken)
    {
        await BatchQueue.ShareAsync(transaction, id, cancellationToken);
        var batch = await transaction.QuerySingleAsync<ExportRow>(
            $"SELECT {ExportRow.Columns} FROM exports WHERE batch_id = @Id FOR SHARE", new { Id = id.Value }, cancellationToken);
        return (batch, ExportState.IsEnd(batch.EffectiveState) ? Refusals.Gone(batch.EffectiveState)
            : batch.EffectiveState != ExportState.Ready ? Refusals.NotReady(AskAgain)
            : null);
    }

    /// <summary>The batch whose ledger counts: a retry counts for its original.</summary>
    public static BatchId OriginalOf(ExportRow batch) => batch.RetryOf is { } original ? new(original) : batch.Batch;

    /// <summary>Why the caller may not act for this consumer of this batch, or null.</summary>
    public static Refused? Refusal(Caller caller, ExportRow batch, string consumer) =>
        caller.MaySpeakFor(consumer) && (batch.Consumer == "*" || batch.Consumer == consumer)
            ? null
            : new Refused(ProblemCodes.OtherConsumer);
}
