using ClaimCheck.Consumer;

namespace ClaimCheck.Service.Sources;

/// <summary>How an export ends whose record is too large: with its position, its size, the limit and the column that holds the
/// most, never with its content.</summary>
internal static class OversizedRecord
{
    public const string Code = ProblemCodes.RecordTooLarge;

    /// <summary>The limit of every record, whatever is configured: Postgres sends no larger row.</summary>
    public const int Largest = BatchReaderOptions.LargestRecord;

    /// <param name="record">Its place, from 1, or null.</param>
    /// <param name="bytes">Its size, as far as it is known.</param>
    /// <param name="isWhole">False where the record is larger than that.</param>
    /// <param name="allowed">The limit.</param>
    /// <param name="column">The column that holds most of it.</param>
    /// <param name="held">How many of the bytes that column holds.</param>
    public static SourceException Of(long? record, long bytes, bool isWhole, int allowed, string column, long held) => new(
        Code,
        $"{RecordPlace.Of(record)} has {(isWhole ? "" : "more than ")}{bytes:N0} bytes, but ClaimCheck:Exporting:MaxRecordBytes "
        + $"allows {allowed:N0}. Most of it is in column {column}: {held:N0} bytes{(isWhole ? "" : " so far")}.",
        isTransient: false);

    /// <summary>The same where the source can't send the record.</summary>
    /// <param name="record">Its place, from 1, or null.</param>
    /// <param name="state">The SQLSTATE.</param>
    /// <param name="column">Null where it could not be found.</param>
    public static SourceException OfSource(long? record, string? state, string? column) => new(
        Code,
        $"{RecordPlace.Of(record)} is larger than the source's Postgres can send, about 1 GiB as text, of which a "
        + "byte of bytea takes two. "
        + (column is null ? "The column could not be determined." : $"It is column {column}.")
        + $" (SQLSTATE {state})",
        isTransient: false);

    /// <summary>The field of a CSV record that has the most bytes; the record may end anywhere.</summary>
    public static (int Column, int Bytes) LargestField(ReadOnlySpan<byte> csv)
    {
        var (largest, most) = (0, -1);
        for (var column = 0; ; column++)
        {
            var length = 0;
            while (length < csv.Length && csv[length] != (byte)',')
            {
                // Within quotes commas do not count; a doubled quote closes and opens again.
                var isQuoted = csv[length] == (byte)'"';
                var run = isQuoted ? csv[(length + 1)..].IndexOf((byte)'"') : csv[length..].IndexOfAny((byte)',', (byte)'"');
                length = run < 0 ? csv.Length : length + run + (isQuoted ? 2 : 0);
            }

            if (length > most)
                (largest, most) = (column, length);
            if (length >= csv.Length)
                return (largest, most);
            csv = csv[(length + 1)..];
        }
    }

    /// <summary>The value of a line of COPY's text format that has the most bytes.</summary>
    public static (int Column, int Bytes) LargestValue(ReadOnlySpan<byte> line)
    {
        var (largest, most) = (0, -1);
        for (var column = 0; ; column++)
        {
            var length = line.IndexOf((byte)'\t') is var tab and >= 0 ? tab : line.Length;
            if (length > most)
                (largest, most) = (column, length);
            if (length == line.Length)
                return (largest, most);
            line = line[(length + 1)..];
        }
    }
}
