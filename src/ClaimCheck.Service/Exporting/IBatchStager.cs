namespace ClaimCheck.Service.Exporting;

/// <summary>Turns one batch's records into staged files: those of a dataset's query, or those that its
/// producer has uploaded.</summary>
internal interface IBatchStager
{
    /// <summary>Where the records come from that this one stages: each kind has one stager.</summary>
    RecordOrigin Origin { get; }

    /// <summary>Stages everything, or throws and leaves no upload open.</summary>
    /// <exception cref="SourceException">The records, or where they come from, are at fault.</exception>
    /// <exception cref="Staging.StagingException">The staging is at fault.</exception>
    /// <exception cref="LeaseLostException">This worker has lost the batch's lease.</exception>
    Task<StagedBatch> StageAsync(ExportPlan plan, ExportMeter meter, CancellationToken cancellationToken);
}
