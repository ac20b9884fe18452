using System.Diagnostics;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class RunImport
{
    // What the tool prints where not all of an import's records have succeeded.
    private const int Incomplete = 8;

    public static Step Step { get; } = new(
        "Import it",
        "claimcheck import start --watch FOLDER --once: existing files, in batches of up to 1,000. Without --once it continues watching;\n"
        + "killed and started again, it continues where it was.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var (exitCode, output, notes) = await ToolProcess.RunAsync(
            cancellationToken, "import", "start", "--watch", DropRecordFile.SourceOf(tour), "--once", "--config", DropRecordFile.ConfigOf(tour), "--state", DropRecordFile.StateOf(tour));
        if (exitCode != Incomplete)
            throw new DemoException($"The tool ended with {exitCode}: {output} {notes}");
        tour.Screen.Text(output.TrimEnd());
        tour.Screen.Good($"after {watch.Elapsed.TotalSeconds:0.0} s");
    }
}
