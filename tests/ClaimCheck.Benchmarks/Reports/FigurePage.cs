using System.Globalization;
using System.Text;

namespace ClaimCheck.Benchmarks.Reports;

/// <summary>Writes a run's figures into the page about performance, between its marks.</summary>
internal static class FigurePage
{
    public const string Begin = "<!-- figures: written by ./dev bench --only export --write docs -->";
    public const string End = "<!-- end of figures -->";

    /// <summary>The page with these figures in place of those that it had.</summary>
    public static string Renew(string page, Report report)
    {
        var from = page.IndexOf(Begin, StringComparison.Ordinal);
        var to = page.IndexOf(End, StringComparison.Ordinal);
        return from >= 0 && to > from
            ? $"{page[..(from + Begin.Length)]}\n{Write(report)}{page[to..]}"
            : throw new FormatException($"The page has no place for figures: lines of '{Begin}' and '{End}'.");
    }

    public static string Write(Report report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture,
            $"""
            Measured on {report.Date:yyyy-MM-dd} by `{report.Command}`: {report.Orders:N0} orders, medians of {report.Rounds} rounds.
            Machine: {report.Machine}.

            | work | peer | ours | peer's | ratio | aim | | bytes | CPU s/GB | peer's | peak |
            |---|---|---|---|---|---|---|---|---|---|---|

            """);
        foreach (var one in report.Comparisons)
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", Cells(one).Select(Escaped))} |\n");
        if (report.RowTimes.Count > 0)
        {
            text.Append("\n| rows | seconds | µs a row |\n|---|---|---|\n");
            foreach (var time in report.RowTimes)
                text.Append(
                    CultureInfo.InvariantCulture, $"| {time.Rows:N0} | {time.Seconds:0.00} | {time.Microseconds:0.00} |\n");
        }

        foreach (var line in report.Skipped)
            text.Append(CultureInfo.InvariantCulture, $"\nSkipped: {line}\n");
        return text.ToString();
    }

    /// <summary>The columns of a comparison, as text: for this table, and for the terminal's.</summary>
    public static IReadOnlyList<string> Cells(Comparison one) =>
    [
        one.Work,
        one.Peer,
        Format(one.Ours, "0.00 s"),
        Format(one.Theirs, "0.00 s"),
        Format(one.Ratio, "0.00"),
        Format(one.Reach, "0.00"),
        one.IsReached ? "reached" : "missed",
        Format(one.BytesRatio, "0.000"),
        Format(one.CpuPerGigabyte, "0.0"),
        Format(one.PeerCpuPerGigabyte, "0.0"),
        Format(one.PeakBytes / 1_000_000.0, "0 MB"),
    ];

    private static string Format(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";

    private static string Escaped(string cell) => cell.Replace("|", "\\|", StringComparison.Ordinal);
}
