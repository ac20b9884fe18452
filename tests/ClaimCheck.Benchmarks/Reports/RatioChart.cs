using System.Globalization;
using System.Net;
using System.Text;

namespace ClaimCheck.Benchmarks.Reports;

/// <summary>Draws a bar for each comparison, with the ratio that is aimed at, as SVG.</summary>
internal static class RatioChart
{
    private const int Width = 920;
    private const int Left = 430;
    private const int Right = 130;
    private const int RowHeight = 40;
    private const int Top = 64;

    // The colours follow the reader's: an image in a page gets the scheme of the browser.
    private const string Style = """
          text { font: 13px system-ui, sans-serif; fill: #1f2328 }
          .peer, .axis { fill: #59636e; font-size: 12px }
          .grid { stroke: #d1d9e0 }
          .reached { fill: #1a7f64 }
          .missed { fill: #b35900 }
          .target { stroke: #1f2328; stroke-width: 2 }
          .page { fill: #ffffff }
          @media (prefers-color-scheme: dark) {
            text { fill: #f0f6fc }
            .peer, .axis { fill: #9198a1 }
            .grid { stroke: #3d444d }
            .reached { fill: #3fb68b }
            .missed { fill: #e09b4a }
            .target { stroke: #f0f6fc }
            .page { fill: #0d1117 }
          }
        """;

    public static string Draw(Report report)
    {
        var most = Math.Max(1.2, report.Comparisons.Select(one => Math.Max(one.Ratio, one.Reach)).DefaultIfEmpty().Max());
        var height = Top + (RowHeight * report.Comparisons.Count) + 16;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture,
            $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" width="{Width}" height="{height}" role="img" aria-labelledby="title desc">
            <title id="title">Time of an export against its peers, {report.Orders:N0} orders</title>
            <desc id="desc">{Text(Describe(report))}</desc>
            <style>
            {Style}
            </style>
            <rect class="page" width="{Width}" height="{height}"/>
            <text x="16" y="24">Time against the peer's, {report.Orders:N0} orders: shorter is faster. The line across a bar is what is aimed at.</text>

            """);
        for (var tick = 0.0; tick <= most; tick += most > 3 ? 1 : 0.2)
            svg.Append(CultureInfo.InvariantCulture,
                $"""
                <line class="grid" x1="{X(tick)}" x2="{X(tick)}" y1="{Top - 8}" y2="{height - 12}"/>
                <text class="axis" x="{X(tick)}" y="{Top - 14}" text-anchor="middle">{tick:0.0}</text>

                """);
        var top = Top;
        foreach (var one in report.Comparisons)
        {
            svg.Append(CultureInfo.InvariantCulture,
                $"""
                <text x="{Left - 12}" y="{top + 15}" text-anchor="end">{Text(one.Work)}</text>
                <text class="peer" x="{Left - 12}" y="{top + 30}" text-anchor="end">{Text(one.Peer)}</text>
                <rect class="{(one.IsReached ? "reached" : "missed")}" x="{Left}" y="{top + 8}" width="{X(one.Ratio) - Left}" height="18" rx="2"/>
                <line class="target" x1="{X(one.Reach)}" x2="{X(one.Reach)}" y1="{top + 4}" y2="{top + 30}"/>
                <text x="{X(Math.Max(one.Ratio, one.Reach)) + 8}" y="{top + 22}">{one.Ratio:0.00} (aim {one.Reach:0.00})</text>

                """);
            top += RowHeight;
        }

        return svg.Append("</svg>\n").ToString();

        int X(double ratio) => Left + (int)Math.Round(ratio / most * (Width - Left - Right));
    }

    /// <summary>The chart in words.</summary>
    public static string Describe(Report report) =>
        string.Join(" ", report.Comparisons.Select(one => string.Create(
            CultureInfo.InvariantCulture,
            $"{one.Work}, against {one.Peer}: {one.Ratio:0.00} times its time, {one.Reach:0.00} aimed at.")));

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
