namespace ClaimCheck.Service.Exporting;

/// <summary>Stages a batch whose records were uploaded. Uploads lie above this layer, and hand it down.</summary>
internal delegate Task<StagedBatch> StageUploaded(ExportPlan plan, ExportMeter meter, CancellationToken cancellationToken);

/// <summary>Where a batch's records come from: the dataset's query, or what the producer has uploaded.</summary>
internal sealed class BatchStager(BatchExporter exporter, StageUploaded stageUploaded)
{
    public Task<StagedBatch> StageAsync(ExportPlan plan, ExportMeter meter, CancellationToken cancellationToken) =>
        plan.Dataset.IsUploaded ? stageUploaded(plan, meter, cancellationToken) : exporter.ExportAsync(plan, meter, cancellationToken);
}
