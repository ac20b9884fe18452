using System.Text;

namespace ClaimCheck.Service.Tests.Exporting;

/// <summary>A CSV reader of the tests' own, a character at a time, as RFC 4180 reads; NULL is nothing, the empty
/// text is <c>""</c>.</summary>
internal static class CsvText
{
    public static List<string?[]> Parse(string text)
    {
        var records = new List<string?[]>();
        var record = new List<string?>();
        var at = 0;
        while (at < text.Length)
        {
            record.Add(Field(text, ref at));
            var delimiter = text[at++];
            if (delimiter == ',')
                continue;
            Assert.Equal('\n', delimiter);
            records.Add([.. record]);
            record.Clear();
        }

        Assert.Empty(record);
        return records;
    }

    /// <summary>Where each record ends, behind its line feed.</summary>
    public static List<int> Ends(string text)
    {
        var ends = new List<int>();
        var at = 0;
        while (at < text.Length)
        {
            Field(text, ref at);
            if (text[at++] == '\n')
                ends.Add(at);
        }

        return ends;
    }

    public static string Write(string? value) => value switch
    {
        null => "",
        "" => "\"\"",
        _ when value.AsSpan().IndexOfAny(",\"\r\n") >= 0 => $"\"{value.Replace("\"", "\"\"")}\"",
        _ => value,
    };

    private static string? Field(string text, ref int at)
    {
        var value = new StringBuilder();
        if (text[at] != '"')
        {
            while (text[at] is not (',' or '\n'))
                value.Append(text[at++]);
            return value.Length == 0 ? null : value.ToString();
        }

        for (at++; ; at++)
        {
            if (text[at] != '"')
                value.Append(text[at]);
            else if (text[at + 1] == '"')
                value.Append(text[at++]);
            else
                break;
        }

        at++;
        return value.ToString();
    }
}
