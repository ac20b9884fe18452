using System.Globalization;

namespace ClaimCheck.Cli.Output;

/// <summary>Numbers for people.</summary>
internal static class Amounts
{
    public static string Count(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    public static string Size(double bytes) => bytes switch
    {
        < 1_000 => $"{bytes:0} bytes",
        < 1_000_000 => $"{bytes / 1_000:0.0} KB",
        < 1_000_000_000 => $"{bytes / 1_000_000:0.0} MB",
        _ => $"{bytes / 1_000_000_000:0.00} GB",
    };

    public static string Seconds(double seconds) => seconds switch
    {
        < 60 => $"{Math.Ceiling(seconds):0} s",
        < 3_600 => $"{seconds / 60:0} min",
        _ => $"{seconds / 3_600:0.0} h",
    };

    public static string? Time(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
