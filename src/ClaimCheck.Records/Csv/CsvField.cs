namespace ClaimCheck.Records.Csv;

/// <summary>A CSV field of RFC 4180: with or without quotes, a quote within quotes doubled.</summary>
internal static class CsvField
{
    public const byte Quote = (byte)'"';

    /// <summary>The length of a record's next field, its quotes included: up to the delimiter, or to the end.</summary>
    /// <param name="rest">The record from the field on, without its line end.</param>
    /// <param name="flaw">Why it is not a field; the length is -1 then.</param>
    /// <param name="delimiter">What separates fields.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Length(ReadOnlySpan<byte> rest, out CsvFlaw flaw, byte delimiter = (byte)',')
    {
        int length;
        if (rest is [Quote, ..])
        {
            length = QuotedLength(rest);
            flaw = length < 0
                ? CsvFlaw.OpenQuote
                : length < rest.Length && rest[length] != delimiter ? CsvFlaw.TextBehindQuote
                : CsvFlaw.None;
        }
        else
        {
            length = rest.IndexOfAny(delimiter, Quote) is var end and >= 0 ? end : rest.Length;
            flaw = length < rest.Length && rest[length] == Quote ? CsvFlaw.QuoteInText : CsvFlaw.None;
        }

        return flaw == CsvFlaw.None ? length : -1;
    }

    /// <summary>The length of a field that begins with a quote, up to behind its closing one.</summary>
    /// <returns>-1 where it has none.</returns>
    public static int QuotedLength(ReadOnlySpan<byte> rest)
    {
        var at = 1;
        while (true)
        {
            var quote = rest[at..].IndexOf(Quote);
            if (quote < 0)
                return -1;
            at += quote + 1;
            if (at == rest.Length || rest[at] != Quote)
                return at;
            at++; // a doubled quote
        }
    }

    /// <summary>A field's value. NULL and the empty text are both empty here; of them the latter has quotes.</summary>
    /// <param name="field">A whole field.</param>
    /// <param name="scratch">The buffer for unescaping doubled quotes; it grows as needed.</param>
    public static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> field, ref byte[] scratch)
    {
        if (field is not [Quote, .. var text, Quote])
            return field;
        if (text.IndexOf(Quote) < 0)
            return text;
        if (scratch.Length < text.Length)
            scratch = new byte[text.Length * 2];
        var length = 0;
        while (text.IndexOf(Quote) is var quote and >= 0)
        {
            text[..(quote + 1)].CopyTo(scratch.AsSpan(length));
            length += quote + 1;
            text = text[(quote + 2)..];
        }

        text.CopyTo(scratch.AsSpan(length));
        return scratch.AsSpan(0, length + text.Length);
    }

    /// <summary>The line that names the columns.</summary>
    public static byte[] Header(IEnumerable<string> columns) =>
        Encoding.UTF8.GetBytes(string.Join(',', columns.Select(Quoted)) + '\n');

    private static string Quoted(string name) =>
        name.AsSpan().IndexOfAny("\",\r\n") >= 0 || name.Length == 0
            ? $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : name;
}

/// <summary>Why a field is not one of RFC 4180.</summary>
internal enum CsvFlaw
{
    /// <summary>It is one.</summary>
    None,

    /// <summary>A quote is within a field that does not begin with one.</summary>
    QuoteInText,

    /// <summary>The closing quote is missing.</summary>
    OpenQuote,

    /// <summary>The closing quote is not the field's end.</summary>
    TextBehindQuote,
}
