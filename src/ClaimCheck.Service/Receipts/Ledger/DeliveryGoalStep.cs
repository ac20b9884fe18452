namespace ClaimCheck.Service.Receipts.Ledger;

/// <summary>A delivery goal begins when its batch is ready. A retry has none of its own: it counts for its original.</summary>
internal sealed class DeliveryGoalStep : IReadyStep
{
    public async Task TakeAsync(Transaction transaction, ExportPlan plan, StagedBatch staged, CancellationToken cancellationToken)
    {
        if (plan.Dataset.Delivery is not { } goal)
            return;
        await transaction.ExecuteAsync(
            """
            INSERT INTO delivery_goals (batch_id, consumers, max_terminal_ratio, due_at)
            VALUES (@Id, @Consumers, @Ratio, now() + @Within)
            """,
            new
            {
                Id = plan.BatchId.Value,
                Consumers = goal.Consumers.ToArray(),
                Ratio = goal.MaxTerminalRatio ?? 0,
                Within = IsoDuration.TryParse(goal.Within, out var within) ? within : (TimeSpan?)null,
            },
            cancellationToken);
    }
}
