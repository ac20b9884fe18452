using System.Globalization;
using System.Text.RegularExpressions;

namespace ClaimCheck.Records;

/// <summary>
/// Intervals as Postgres writes them (ISO 8601 with signs, <c>1 day 02:00:00</c>), and as Java (<c>PT-1H</c>), Python
/// (<c>-1 day, 23:00:00</c>), Go (<c>-1h30m0s</c>) and .NET (<c>-1.02:00:00</c>) do.
/// </summary>
internal static partial class Intervals
{
    private const int Longest = 200;

    /// <summary>Of intervals without months; a day is 24 hours.</summary>
    public static bool TryRead(ReadOnlySpan<byte> utf8, out TimeSpan time)
    {
        time = default;
        if (utf8.Length > Longest)
            return false;
        var text = Encoding.UTF8.GetString(utf8);
        text = ToPostgres(text) ?? text;
        decimal? ticks = text.StartsWith('P') ? OfIso(text) : OfWords(text);
        if (ticks is not { } all || all < TimeSpan.MinValue.Ticks || all > TimeSpan.MaxValue.Ticks)
            return false;
        time = TimeSpan.FromTicks((long)Math.Round(all, MidpointRounding.ToEven));
        return true;
    }

    /// <summary>
    /// The text for Postgres where it would refuse the given one, or read it as a different interval; null where it can stay
    /// unchanged.
    /// </summary>
    public static string? ToPostgres(string text)
    {
        if (text.Length is 0 or > Longest)
            return null;
        if (text.StartsWith("-P", StringComparison.Ordinal) || text.StartsWith("+P", StringComparison.Ordinal))
            return text[0] == '+' ? text[1..] : Number()
                .Replace(text[1..], match => match.Value[0] == '-' ? match.Value[1..] : "-" + match.Value.TrimStart('+'));
        if (Go().Match(text) is { Success: true } go)
            return OfGo(go);
        return DotNet().Match(text) is { Success: true } match
            ? $"{match.Groups["sign"].Value}{match.Groups["days"].Value} days "
                + $"{match.Groups["sign"].Value}{match.Groups["time"].Value}"
            : null;
    }

    // Its units carry over into the next larger one with one sign for all; Postgres applies the sign only to the first.
    private static string? OfGo(Match match)
    {
        var nanos = 0m;
        for (var i = 0; i < match.Groups["count"].Captures.Count; i++)
        {
            if (!decimal.TryParse(match.Groups["count"].Captures[i].ValueSpan, NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture, out var count) || count > 1e18m)
                return null;
            nanos += count * match.Groups["unit"].Captures[i].Value switch
            {
                "h" => 3600 * (decimal)Moment.NanosPerSecond,
                "m" => 60 * (decimal)Moment.NanosPerSecond,
                "s" => Moment.NanosPerSecond,
                "ms" => 1_000_000,
                "ns" => 1,
                _ => 1000,
            };
        }

        var seconds = nanos / Moment.NanosPerSecond;
        return string.Create(CultureInfo.InvariantCulture, $"PT{match.Groups["sign"].Value}{seconds:0.#########}S");
    }

    private static decimal? OfIso(string text)
    {
        var match = Iso().Match(text);
        if (!match.Success || text[^1] is 'P' or 'T' || Part(match, "y") != 0 || Part(match, "mo") != 0)
            return null;
        return (((Part(match, "w") * 7) + Part(match, "d")) * TimeSpan.TicksPerDay)
            + (Part(match, "h") * TimeSpan.TicksPerHour) + (Part(match, "m") * TimeSpan.TicksPerMinute)
            + (Part(match, "s") * TimeSpan.TicksPerSecond);
    }

    private static decimal? OfWords(string text)
    {
        var match = Words().Match(text);
        if (!match.Success || text.Length == 0 || (!match.Groups["d"].Success && !match.Groups["h"].Success))
            return null;
        var time = (Part(match, "h") * TimeSpan.TicksPerHour) + (Part(match, "m") * TimeSpan.TicksPerMinute)
            + (Part(match, "s") * TimeSpan.TicksPerSecond);
        return (Part(match, "d") * TimeSpan.TicksPerDay) + (match.Groups["sign"].Value == "-" ? -time : time);
    }

    private static decimal Part(Match match, string name) =>
        match.Groups[name] is { Success: true, ValueSpan: var digits } && decimal.TryParse(
            digits, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            ? value
            : 0;

    [GeneratedRegex(
        @"[+-]?[0-9]+(\.[0-9]+)?", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Number();

    [GeneratedRegex(@"\A(?<sign>-?)((?<count>[0-9]{1,20}(\.[0-9]{1,20})?)(?<unit>h|ms|m|s|us|µs|μs|ns))+\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Go();

    [GeneratedRegex(@"\A(?<sign>-?)(?<days>[0-9]{1,8})\.(?<time>[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?)\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DotNet();

    [GeneratedRegex(
        @"\AP((?<y>[+-]?[0-9]{1,9})Y)?((?<mo>[+-]?[0-9]{1,9})M)?((?<w>[+-]?[0-9]{1,9})W)?((?<d>[+-]?[0-9]{1,9})D)?"
        + @"(T((?<h>[+-]?[0-9]{1,12})H)?((?<m>[+-]?[0-9]{1,12})M)?((?<s>[+-]?[0-9]{1,14}(\.[0-9]{1,9})?)S)?)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Iso();

    [GeneratedRegex(
        @"\A((?<d>[+-]?[0-9]{1,9}) days?)?"
        + @"((\A|,? )(?<sign>[+-]?)(?<h>[0-9]{1,10}):(?<m>[0-9]{2})(:(?<s>[0-9]{2}(\.[0-9]{1,9})?))?)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Words();
}
