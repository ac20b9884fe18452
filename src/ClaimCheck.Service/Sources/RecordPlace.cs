namespace ClaimCheck.Service.Sources;

/// <summary>How messages name a record.</summary>
internal static class RecordPlace
{
    /// <param name="place">Among the export's records, from 1; null where several connections read at a time.</param>
    /// <returns>The beginning of a sentence.</returns>
    public static string Of(long? place) => place is { } known ? $"Record {known}" : "A record";
}
