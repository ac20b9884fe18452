using ClaimCheck.Records.Csv;

namespace ClaimCheck.Service.BulkJobs.Bodies;

/// <summary>The fields of one CSV row (RFC 4180): an empty field is NULL and <c>""</c> the empty text, as exports write
/// it.</summary>
internal static class CsvFields
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <returns>Null where the row is malformed.</returns>
    public static List<string?>? Split(ReadOnlySpan<byte> row)
    {
        var fields = new List<string?>();
        byte[] unquoted = [];
        try
        {
            while (CsvField.Length(row, out _) is var length and >= 0)
            {
                fields.Add(length == 0 ? null : Strict.GetString(CsvField.Value(row[..length], ref unquoted)));
                if (length == row.Length)
                    return fields;
                row = row[(length + 1)..];
            }
        }
        catch (DecoderFallbackException)
        {
            // As malformed as a misplaced quote.
        }

        return null;
    }
}
