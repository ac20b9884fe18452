namespace ClaimCheck.Service.Exporting;
internal sealed class BatchExporter { public Task<StagedBatch> ExportAsync(ExportPlan plan, ExportMeter meter, CancellationToken cancellationToken) => throw new NotSupportedException(); }
