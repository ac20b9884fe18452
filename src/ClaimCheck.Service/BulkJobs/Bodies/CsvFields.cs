using System.Text;

namespace ClaimCheck.Service.BulkJobs.Bodies;

/// <summary>
/// The fields of one CSV row (RFC 4180): an empty field is NULL and <c>""</c> the empty text, as exports write it.
/// </summary>
internal static class CsvFields
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <returns>Null where the row is malformed.</returns>
    public static List<string?>? Split(ReadOnlySpan<byte> row)
    {
        var fields = new List<string?>();
        try
        {
            while (true)
            {
                if (row is [(byte)'"', ..])
                {
                    if (!ReadQuoted(ref row, fields))
                        return null;
                }
                else
                {
                    var end = row.IndexOf((byte)',');
                    var field = end < 0 ? row : row[..end];
                    if (field.Contains((byte)'"'))
                        return null;
                    fields.Add(field.IsEmpty ? null : Strict.GetString(field));
                    row = row[field.Length..];
                }

                if (row.IsEmpty)
                    return fields;
                row = row[1..]; // the comma
            }
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static bool ReadQuoted(ref ReadOnlySpan<byte> row, List<string?> fields)
    {
        var position = 1;
        var hasQuotes = false;
        while (true)
        {
            var quote = row[position..].IndexOf((byte)'"');
            if (quote < 0)
                return false;
            position += quote + 1;
            if (position >= row.Length || row[position] != '"')
                break;
            hasQuotes = true;
            position++;
        }

        if (position < row.Length && row[position] != ',')
            return false;
        var text = Strict.GetString(row[1..(position - 1)]);
        fields.Add(hasQuotes ? text.Replace("\"\"", "\"", StringComparison.Ordinal) : text);
        row = row[position..];
        return true;
    }
}
