using System.Text.Json;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class ShowImport
{
    public static Step Step { get; } = new(
        "The outcome of each record",
        "claimcheck import report RUN sums up; the rejects are the records that failed, with their reasons. import retry sends them once more.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var run = Path.GetFileName(Directory.EnumerateDirectories(Path.Combine(DropRecordFile.StateOf(tour), "runs")).Single());
        var (exitCode, output, notes) = await ToolProcess.RunAsync(cancellationToken, "import", "report", run, "--state", DropRecordFile.StateOf(tour));
        if (exitCode != 0)
            throw new DemoException($"The tool ended with {exitCode}: {notes}");
        tour.Screen.Text(output.TrimEnd());
        (exitCode, output, notes) = await ToolProcess.RunAsync(cancellationToken, "import", "status", run, "--json", "--state", DropRecordFile.StateOf(tour));
        if (exitCode != 0)
            throw new DemoException($"The tool ended with {exitCode}: {notes}");
        using var status = JsonDocument.Parse(output);
        var counts = status.RootElement.GetProperty("counts");
        var (succeeded, failed, invalid) = (counts.GetProperty("succeeded").GetInt64(), counts.GetProperty("failed").GetInt64(), counts.GetProperty("invalid").GetInt64());
        if (succeeded + failed + invalid != DropRecordFile.Records || failed != DropRecordFile.Records / 1000 || invalid != failed)
            throw new DemoException($"{succeeded} + {failed} + {invalid} is not the number of records in the file.");

        tour.Screen.Line("The rejects begin:");
        var rejects = status.RootElement.GetProperty("failureBucket").GetString()!;
        tour.Screen.Text(string.Join('\n', File.ReadLines(rejects).Take(3)));
        var imported = await Order.CountAsync(tour.Service, DropRecordFile.Status, cancellationToken);
        if (imported != succeeded)
            throw new DemoException($"{imported:N0} orders are '{DropRecordFile.Status}' in the database, not {succeeded:N0}.");
        tour.Screen.Good($"each record has exactly one outcome; in the database {imported:N0} orders are '{DropRecordFile.Status}'");
    }
}
