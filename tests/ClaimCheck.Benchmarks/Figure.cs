using System.Globalization;
using Spectre.Console;

namespace ClaimCheck.Benchmarks;

/// <summary>A measured figure beside its peer's, and what was aimed at.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Ours">The service's median.</param>
/// <param name="Peer">The peer's median, or the value that it is compared with.</param>
/// <param name="Ratio">Ours against the peer's: the median of the rounds' own ratios.</param>
/// <param name="Aim">In words.</param>
/// <param name="IsReached">Whether it is.</param>
internal sealed record Figure(string Name, string Ours, string Peer, string Ratio, string Aim, bool IsReached)
{
    public static Figure OfTimes(string name, IReadOnlyList<(TimeSpan Ours, TimeSpan Peer)> rounds, double atMost)
    {
        var ratio = Median(rounds.Select(round => round.Ours / round.Peer));
        return new(
            name,
            Seconds(Median(rounds.Select(round => round.Ours.TotalSeconds))),
            Seconds(Median(rounds.Select(round => round.Peer.TotalSeconds))),
            ratio.ToString("0.00", CultureInfo.InvariantCulture),
            $"at most {atMost.ToString("0.0#", CultureInfo.InvariantCulture)} x",
            ratio <= atMost);
    }

    public static void Show(IReadOnlyList<Figure> figures)
    {
        var table = new Table().AddColumns("figure", "ours", "peer", "ratio", "aim", "");
        foreach (var figure in figures)
            table.AddRow(
                figure.Name, figure.Ours, figure.Peer, figure.Ratio, figure.Aim, figure.IsReached ? "reached" : "MISSED");
        AnsiConsole.Write(table);
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }

    private static string Seconds(double seconds) => seconds.ToString("0.00 s", CultureInfo.InvariantCulture);
}
