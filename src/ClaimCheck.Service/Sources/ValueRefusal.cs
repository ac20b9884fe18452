namespace ClaimCheck.Service.Sources;

/// <summary>How an export ends whose source sends a value that the contract does not allow. The message has the column and the
/// record's position, never the value.</summary>
internal static class ValueRefusal
{
    private const string Code = "value_not_understood";
    private const string TooDeep = "value_too_deep";

    /// <param name="record">Its place, from 1, or null.</param>
    /// <param name="fault">Its text is the end of a sentence.</param>
    public static SourceException OfColumn(string column, long? record, FormatException fault) =>
        new(fault is JsonTooDeepException ? TooDeep : Code,
            $"The value of column {column} in {(record is { } place ? $"record {place}" : "a record")} {fault.Message}.",
            isTransient: false);

    /// <summary>A fault of the record as a whole.</summary>
    public static SourceException OfRecord(long? record, string fault) =>
        new(Code, $"{RecordPlace.Of(record)} {fault}.", isTransient: false);
}
