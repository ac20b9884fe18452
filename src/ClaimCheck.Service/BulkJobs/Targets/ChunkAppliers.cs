namespace ClaimCheck.Service.BulkJobs.Targets;

/// <summary>Makes the applier of a job. The caller disposes it.</summary>
internal sealed class ChunkAppliers(
    SourceDatabases databases, BulkJobsOptions options, TimeProvider time, ILogger<ChunkApplier> logger)
{
    public ChunkApplier For(JobLease lease) => new(databases, lease, options, time, logger);
}
