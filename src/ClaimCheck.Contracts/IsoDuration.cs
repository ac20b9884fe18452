using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ClaimCheck.Contracts;

/// <summary>ISO 8601 durations without years and months (whose length would depend on a date), such as <c>PT1H</c>
/// or <c>P7D</c>.</summary>
public static partial class IsoDuration
{
    /// <summary>Parses a duration. Weeks are accepted too; signs, years and months are not.</summary>
    /// <returns>
    /// False when <paramref name="text"/> is not such a duration, or is longer than a <see cref="TimeSpan"/> can be.
    /// </returns>
    public static bool TryParse(string? text, out TimeSpan value)
    {
        value = default;
        if (text is null || text.Length > 64)
            return false;
        var match = Form().Match(text);
        if (!match.Success || text[^1] is 'P' or 'T')
            return false;
        try
        {
            var ticks = checked(
                Part(match, "w", TimeSpan.TicksPerDay * 7)
                + Part(match, "d", TimeSpan.TicksPerDay)
                + Part(match, "h", TimeSpan.TicksPerHour)
                + Part(match, "m", TimeSpan.TicksPerMinute)
                + Part(match, "s", TimeSpan.TicksPerSecond));
            value = new TimeSpan(ticks);
            return true;
        }
        catch (OverflowException)
        {
            return false;
        }
    }

    /// <summary>Writes the shortest such form, for example <c>P7D</c>, <c>PT1H30M</c>, <c>PT0S</c>.</summary>
    public static string Format(TimeSpan value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
        if (value == TimeSpan.Zero)
            return "PT0S";
        var text = new StringBuilder("P");
        if (value.Days > 0)
            text.Append(CultureInfo.InvariantCulture, $"{value.Days}D");
        var seconds = (decimal)(value.Ticks % TimeSpan.TicksPerMinute) / TimeSpan.TicksPerSecond;
        if (value.Hours > 0 || value.Minutes > 0 || seconds > 0)
            text.Append('T');
        if (value.Hours > 0)
            text.Append(CultureInfo.InvariantCulture, $"{value.Hours}H");
        if (value.Minutes > 0)
            text.Append(CultureInfo.InvariantCulture, $"{value.Minutes}M");
        if (seconds > 0)
            text.Append(CultureInfo.InvariantCulture, $"{seconds:0.#######}S");
        return text.ToString();
    }

    private static long Part(Match match, string name, long ticks) =>
        match.Groups[name] is { Success: true, Value: var digits }
            ? (long)checked(decimal.Parse(digits, CultureInfo.InvariantCulture) * ticks)
            : 0;

    [GeneratedRegex(
        @"\AP(?:(?<w>\d{1,9})W)?(?:(?<d>\d{1,9})D)?"
        + @"(?:T(?:(?<h>\d{1,9})H)?(?:(?<m>\d{1,9})M)?(?:(?<s>\d{1,9}(?:\.\d{1,7})?)S)?)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}
