using System.Globalization;
using System.Text.RegularExpressions;

namespace ClaimCheck.Adapter.Locations;

/// <summary>Reads what <c>sftp</c>'s <c>ls -ln</c> prints, and writes names as its commands take them.</summary>
internal static partial class SftpListing
{
    /// <summary>In quotes <c>sftp</c> takes all but quotes and backslashes as they are, and neither <c>*</c> nor <c>?</c> as a pattern.</summary>
    public static string Quoted(string path) =>
        $"\"{path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>As a shell takes it.</summary>
    public static string ShellQuoted(string path) => $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>The entries; lines that are none (of devices, or with names of several lines) are left out.</summary>
    /// <exception cref="LocationException">It is made to keep the reader.</exception>
    public static List<StoredFile> Read(string output, DateTimeOffset now)
    {
        try
        {
            return ReadLines(output, now);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new LocationException(LocationFailure.Refused, "The server's directory listing can't be parsed.", inner: e);
        }
    }

    private static List<StoredFile> ReadLines(string output, DateTimeOffset now)
    {
        var found = new List<StoredFile>();
        foreach (Match line in Lines().Matches(output))
        {
            var name = line.Groups["path"].Value;
            name = name[(name.LastIndexOf('/') + 1)..];
            if (name is "." or ".." or "")
                continue;
            var isFolder = line.Groups["type"].ValueSpan[0] == 'd';
            found.Add(new StoredFile(
                name, isFolder ? 0 : Bytes(line.Groups["bytes"].ValueSpan), Time(line, now), isFolder));
        }
        return found;
    }

    // A server may say anything; what no file of ours can be long is all the same.
    private static long Bytes(ReadOnlySpan<char> digits) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : long.MaxValue;

    // "Nov 20 19:12" of the last months, "Nov 20  2025" else: the year is the one that puts it into the past.
    private static DateTimeOffset? Time(Match line, DateTimeOffset now)
    {
        var (month, day, time) = (line.Groups["month"].Value, line.Groups["day"].Value, line.Groups["time"].Value);
        var hasYear = !time.Contains(':', StringComparison.Ordinal);
        foreach (var year in hasYear ? [int.Parse(time, CultureInfo.InvariantCulture)] : new[] { now.Year + 1, now.Year, now.Year - 1 })
        {
            if (DateTimeOffset.TryParseExact(
                    $"{year:0000} {month} {day} {(hasYear ? "00:00" : time)}", "yyyy MMM d HH:mm", CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)
                && (hasYear || at <= now.AddDays(1)))
            {
                return at;
            }
        }
        return null;
    }

    [GeneratedRegex(@"^(?<type>[-d])[-rwxsStT]{9}\S*\s+\S+\s+\S+\s+\S+\s+(?<bytes>[0-9]+)\s+(?<month>[A-Z][a-z]{2})\s+(?<day>[0-9]{1,2})\s+(?<time>[0-9]{2}:[0-9]{2}|[0-9]{4}) (?<path>[^\r\n]+)\r?$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 10_000)]
    private static partial Regex Lines();
}
