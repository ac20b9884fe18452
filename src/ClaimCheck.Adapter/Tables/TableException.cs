namespace ClaimCheck.Adapter.Tables;

/// <summary>
/// A table can't be loaded into, whatever the records are: it does not fit the dataset, or its server can't do it now.
/// </summary>
/// <param name="code"><c>table_mismatch</c>, <c>table_refused</c> or <c>table_unavailable</c>.</param>
/// <param name="message">What does not fit, in words and without values.</param>
/// <param name="batchId">The batch, where one was to be loaded.</param>
/// <param name="isTransient">Whether it passes by itself.</param>
/// <param name="inner">The failure of Postgres.</param>
internal sealed class TableException(
    string code, string message, BatchId? batchId = null, bool isTransient = false, Exception? inner = null)
    : RunStoppedException(code, message, batchId, isTransient, inner)
{
    public const string Mismatch = "table_mismatch";
    public const string Refused = "table_refused";
    public const string Unavailable = "table_unavailable";
}
