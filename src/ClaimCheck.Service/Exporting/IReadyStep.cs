namespace ClaimCheck.Service.Exporting;

/// <summary>What must happen together with a batch becoming ready: a step in the transaction that makes it so, after the batch's
/// files are known.</summary>
internal interface IReadyStep
{
    Task TakeAsync(Transaction transaction, ExportPlan plan, StagedBatch staged, CancellationToken cancellationToken);
}
