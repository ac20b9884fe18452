namespace ClaimCheck.Service.Receipts.Ledger;

/// <summary>A retry is ready: the ledger records which of the round's records are gone from the source.</summary>
internal sealed class RetryRoundStep(ReceiptLedger accounts) : IReadyStep
{
    public async Task TakeAsync(Transaction transaction, ExportPlan plan, StagedBatch staged, CancellationToken cancellationToken)
    {
        if (plan.RetryOf is { } original)
            await accounts.BeginRetryAsync(
                transaction, original, plan.Consumer, plan.BatchId, plan.Attempt, staged.Records, cancellationToken);
    }
}
