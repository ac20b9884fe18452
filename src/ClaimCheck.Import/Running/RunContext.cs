namespace ClaimCheck.Import.Running;

/// <summary>What the runs of one process share.</summary>
/// <param name="Options">Checked.</param>
/// <param name="Contract">Where records are sent.</param>
/// <param name="Seen">Which contents were imported.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Logs changes of state.</param>
internal sealed record RunContext(
    ImportOptions Options, ISendingContract Contract, SeenContents Seen, TimeProvider Time, ILogger Logger);
