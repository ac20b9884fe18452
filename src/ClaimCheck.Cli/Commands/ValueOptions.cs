using System.Globalization;

namespace ClaimCheck.Cli.Commands;

/// <summary>Options with a unit: durations and sizes, including the short forms that people write.</summary>
internal static class ValueOptions
{
    private const string DurationForm = "a duration such as 90s, 15m, 1h, 7d or PT1H30M";

    public static Option<TimeSpan?> Duration(string name, string description) => new(name)
    {
        Description = $"{description} 90s, 15m, 1h, 7d, or ISO 8601.",
        HelpName = "DURATION",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (TryDuration(text, out var value))
                return value;
            result.AddError($"{name} is '{text}', but must be {DurationForm}.");
            return null;
        },
    };

    public static Option<long?> Bytes(string name, string description) => new(name)
    {
        Description = $"{description} 1048576, 64KiB, 100MB, 1GiB.",
        HelpName = "SIZE",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (TryBytes(text, out var value))
                return value;
            result.AddError($"{name} is '{text}', but must be a size such as 1048576, 64KiB, 100MB or 1GiB.");
            return null;
        },
    };

    private static bool TryDuration(string text, out TimeSpan value)
    {
        if (IsoDuration.TryParse(text, out value))
            return true;
        var unit = text.Length > 1 ? text[^1] : ' ';
        var iso = unit switch
        {
            's' or 'm' or 'h' => $"PT{text[..^1]}{char.ToUpperInvariant(unit)}",
            'd' or 'w' => $"P{text[..^1]}{char.ToUpperInvariant(unit)}",
            _ => "",
        };
        return IsoDuration.TryParse(iso, out value);
    }

    private static bool TryBytes(string text, out long value)
    {
        foreach (var (suffix, factor) in new[] { ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("KB", 1000L),
            ("MB", 1_000_000L), ("GB", 1_000_000_000L), ("", 1L) })
        {
            if (!text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                continue;
            var isNumber = long.TryParse(
                text.AsSpan(0, text.Length - suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number <= long.MaxValue / factor;
            value = isNumber ? number * factor : 0;
            return isNumber;
        }
        value = 0;
        return false;
    }
}
