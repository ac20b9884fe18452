namespace ClaimCheck.Service.Datasets;

/// <summary>Intervals in ISO 8601's form. Postgres keeps months, days and microseconds apart, and so does this: P1Y is P12M and
/// P1W is P7D, but P1D is not PT24H.</summary>
internal static partial class CanonicalInterval
{
    private const long MicrosecondsPerSecond = 1_000_000;
    private const long MostOfAny = 999_999_999;

    public static string Of(string text)
    {
        var rule = "must be an ISO 8601 duration, such as P1DT12H or PT90S";
        var match = text.Length <= 128 ? Form().Match(text) : Match.Empty;
        if (!match.Success || text[^1] is 'P' or 'T')
            throw new FormatException(rule);

        var months = (Part(match, "y") * 12) + Part(match, "mo");
        var days = (Part(match, "w") * 7) + Part(match, "d");
        var seconds = (((Part(match, "h") * 60) + Part(match, "m")) * 60) + Part(match, "s");
        // Postgres counts months in 32 bits. The others stop where this form would need more digits than it accepts.
        if (months > int.MaxValue || days > MostOfAny || seconds / 3600 > MostOfAny)
            throw new FormatException(rule);
        var micros = match.Groups["f"] is { Success: true, Value: var digits }
            ? long.Parse(digits.PadRight(6, '0'), CultureInfo.InvariantCulture)
            : 0;
        return Written(months, days, seconds, micros);
    }

    private static string Written(long months, long days, long seconds, long micros)
    {
        var text = new StringBuilder("P");
        Append(text, months / 12, 'Y');
        Append(text, months % 12, 'M');
        Append(text, days, 'D');
        if (seconds > 0 || micros > 0)
            text.Append('T');
        Append(text, seconds / 3600, 'H');
        Append(text, seconds / 60 % 60, 'M');
        if (seconds % 60 > 0 || micros > 0)
            text.Append(CultureInfo.InvariantCulture, $"{(seconds % 60) + ((decimal)micros / MicrosecondsPerSecond):0.######}S");
        return text.Length == 1 ? "PT0S" : text.ToString();
    }

    private static void Append(StringBuilder text, long count, char unit)
    {
        if (count > 0)
            text.Append(CultureInfo.InvariantCulture, $"{count}{unit}");
    }

    private static long Part(Match match, string name) =>
        match.Groups[name] is { Success: true, Value: var digits } ? long.Parse(digits, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(
        @"\AP((?<y>[0-9]{1,9})Y)?((?<mo>[0-9]{1,9})M)?((?<w>[0-9]{1,9})W)?((?<d>[0-9]{1,9})D)?"
        + @"(T((?<h>[0-9]{1,9})H)?((?<m>[0-9]{1,9})M)?((?<s>[0-9]{1,9})(\.(?<f>[0-9]{1,6}))?S)?)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}
