using System.Xml.Linq;
using ClaimCheck.Benchmarks.Reports;

namespace ClaimCheck.Service.Tests.Measuring;

/// <summary>The chart and the table that <c>./dev bench --only export</c> writes.</summary>
[Trait("needs", "nothing")]
public sealed class Figures_of_the_bench
{
    private static readonly Report Run = new(new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero), "2 cores", "./dev bench", 5_000_000, 3)
    {
        Comparisons =
        [
            new("csv gzip", "psql | gzip -1", 1.5, 3, 0.5, 0.5) { BytesRatio = 0.9, LimitsBytes = true, PeerCpuPerGigabyte = 7 },
            new("csv <none>", "a & b", 2, 1, 2, 0.65) { PeakBytes = 150_000_000 },
        ],
        RowTimes = [new(10_000, 0.1), new(1_000_000, 0.4)],
        Skipped = ["'pigz' is not installed."],
    };

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void The_chart_has_a_bar_and_an_aim_for_each_comparison_within_its_width()
    {
        var chart = XDocument.Parse(RatioChart.Draw(Run)).Root!;
        var bars = chart.Elements(Svg + "rect").Where(bar => (string?)bar.Attribute("class") is "reached" or "missed").ToList();
        var aims = chart.Elements(Svg + "line").Where(line => (string?)line.Attribute("class") == "target").ToList();

        Assert.Equal(["reached", "missed"], bars.Select(bar => (string)bar.Attribute("class")!));
        Assert.Equal(2, aims.Count);
        // The first one ends at its aim; the second one goes beyond it, and is four times as long.
        Assert.Equal(End(bars[0]), (int)aims[0].Attribute("x1")!);
        Assert.True(End(bars[1]) > (int)aims[1].Attribute("x1")!);
        Assert.InRange((int)bars[1].Attribute("width")! - (4 * (int)bars[0].Attribute("width")!), -4, 4);
        Assert.All(bars, bar => Assert.InRange(End(bar), 0, (int)chart.Attribute("width")!));

        static int End(XElement bar) => (int)bar.Attribute("x")! + (int)bar.Attribute("width")!;
    }

    [Fact]
    public void The_chart_has_a_text_alternative_and_colours_for_dark_pages()
    {
        var chart = XDocument.Parse(RatioChart.Draw(Run)).Root!;

        Assert.Equal("img", (string?)chart.Attribute("role"));
        Assert.Equal("title desc", (string?)chart.Attribute("aria-labelledby"));
        Assert.Equal(
            "csv gzip, against psql | gzip -1: 0.50 times its time, 0.50 aimed at. csv <none>, against a & b: 2.00 times "
            + "its time, 0.65 aimed at.",
            chart.Element(Svg + "desc")!.Value);
        Assert.Contains("prefers-color-scheme: dark", chart.Element(Svg + "style")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_renews_what_the_page_has_between_its_marks_and_nothing_else()
    {
        var page = $"# Performance\n\n{FigurePage.Begin}\nold\n{FigurePage.End}\n\n## More\n";

        var renewed = FigurePage.Renew(page, Run);

        Assert.StartsWith(
            $"# Performance\n\n{FigurePage.Begin}\nMeasured on 2026-03-04 by `./dev bench`: 5,000,000 orders", renewed,
            StringComparison.Ordinal);
        Assert.EndsWith($"{FigurePage.End}\n\n## More\n", renewed, StringComparison.Ordinal);
        Assert.DoesNotContain("old", renewed, StringComparison.Ordinal);
        Assert.Contains(
            "| csv gzip | psql \\| gzip -1 | 1.50 s | 3.00 s | 0.50 | 0.50 | reached | 0.900 | 0.0 | 7.0 | 0 MB |\n", renewed,
            StringComparison.Ordinal);
        Assert.Contains("| 1,000,000 | 0.40 | 0.40 |\n", renewed, StringComparison.Ordinal);
        Assert.Contains("Skipped: 'pigz' is not installed.", renewed, StringComparison.Ordinal);
        Assert.Equal(renewed, FigurePage.Renew(renewed, Run));
        Assert.Throws<FormatException>(() => FigurePage.Renew("# Performance", Run));
    }

    [Fact]
    public void A_comparison_is_missed_beyond_its_aim_or_with_more_bytes_where_they_are_limited()
    {
        var met = new Comparison("csv", "psql", 1, 2, 0.5, 0.5) { BytesRatio = 1.01 };

        Assert.True(met.IsReached);
        Assert.False((met with { LimitsBytes = true }).IsReached);
        Assert.False((met with { Ratio = 0.51 }).IsReached);
        Assert.False((Run with { Comparisons = [met with { PeakBytes = 200_000_001 }] }).IsReached);
        Assert.False((Run with { Comparisons = [met], RowTimes = [new(10, 1), new(20, 2.3)] }).IsReached);
        Assert.True((Run with { Comparisons = [met] }).IsReached);
    }

    [Fact]
    public void A_run_grows_comparison_by_comparison_with_a_line_for_each()
    {
        var begun = Run with { Comparisons = [], RowTimes = [], Skipped = [] };

        var more = begun.Add(Run.Comparisons[0]).Skip("pigz").Add(Run.RowTimes[1]).Add(Run.Comparisons[1]);

        Assert.Equal(
            [
                "csv gzip against psql | gzip -1: 1.50 s, 3.00 s, ratio 0.50 (aim 0.50)",
                "csv <none> against a & b: 2.00 s, 1.00 s, ratio 2.00 (aim 0.65)",
                "1,000,000 rows: 0.40 s, 0.40 µs a row",
                "Skipped: pigz",
            ],
            more.Lines());
        Assert.Empty(begun.Lines());
    }
}
