using System.Text;

namespace ClaimCheck.Demo.Chapters;

/// <summary>A record file's way into the database.</summary>
internal static class ImportSteps
{
    public const int Records = 5_000;
    public const string ImportedStatus = "imported";
    public static Step DropRecordFile { get; } = new(
        "A record file appears in a folder",
        $"{Records:N0} records, some of them invalid. The configuration maps each one, and names the target: here the service's\n"
        + "bulk jobs; any HTTP endpoint that answers with a status per record will do.",
        DropRecordFileAsync);

    public static string SourceOf(Tour tour) => Path.Combine(tour.Known<RecordFolder>().Path, "feeds");

    public static string ConfigOf(Tour tour) => Path.Combine(tour.Known<RecordFolder>().Path, "import.json");

    public static string StateOf(Tour tour) => Path.Combine(tour.Known<RecordFolder>().Path, "state");

    private static async Task DropRecordFileAsync(Tour tour, CancellationToken cancellationToken)
    {
        tour.Keep(new RecordFolder());
        var text = new StringBuilder("order_no,state,remark\n");
        for (var i = 1; i <= Records; i++)
        {
            var number = (i % 1000) switch
            {
                500 => $"{i + 1_000_000_000}", // an order that does not exist
                501 => "unknown",
                _ => $"{i}",
            };
            text.Append($"{number},{ImportedStatus},\"remark, {i}\"\n");
        }
        Directory.CreateDirectory(SourceOf(tour));
        await File.WriteAllTextAsync(Path.Combine(SourceOf(tour), "orders.csv"), text.ToString(), cancellationToken);
        var config = new JsonObject
        {
            ["name"] = "orders",
            ["arrival"] = new JsonObject { ["complete"] = "rename" },
            ["mapping"] = new JsonObject
            {
                ["key"] = "id",
                ["fields"] = new JsonObject
                {
                    ["id"] = new JsonObject { ["from"] = "order_no", ["type"] = "integer" },
                    ["status"] = new JsonObject { ["from"] = "state", ["required"] = true },
                },
            },
            ["endpoint"] = new JsonObject
            {
                ["contract"] = "bulk-jobs",
                ["operation"] = JobSteps.Operation,
                ["url"] = tour.Client.BaseAddress.ToString(),
            },
        }.ToJsonString(DemoScreen.Json);
        await File.WriteAllTextAsync(ConfigOf(tour), config, cancellationToken);
        tour.Screen.Text(config);
        tour.Screen.Good($"orders.csv, {DemoScreen.Size(text.Length)}");
    }

    // What the tool prints where not all of an import's records have succeeded.
    private const int Incomplete = 8;

    public static Step RunImport { get; } = new(
        "Import it",
        "claimcheck import start --watch FOLDER --once: existing files, in batches of up to 1,000. Without "
        + "--once it continues watching;\n"
        + "killed and started again, it continues where it was.",
        RunImportAsync);

    private static async Task RunImportAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var (exitCode, output, notes) = await ToolProcess.RunAsync(
            cancellationToken, "import", "start", "--watch", SourceOf(tour), "--once", "--config", ConfigOf(tour), "--state",
            StateOf(tour));
        if (exitCode != Incomplete)
            throw new DemoException($"The tool ended with {exitCode}: {output} {notes}");
        tour.Screen.Text(output.TrimEnd());
        tour.Screen.Good($"after {watch.Elapsed.TotalSeconds:0.0} s");
    }

    public static Step ShowImport { get; } = new(
        "The outcome of each record",
        "claimcheck import report RUN sums up; the rejects are the records that failed, with their reasons. import "
        + "retry sends them once more.",
        ShowImportAsync);

    private static async Task ShowImportAsync(Tour tour, CancellationToken cancellationToken)
    {
        var run = Path.GetFileName(Directory.EnumerateDirectories(Path.Combine(StateOf(tour), "runs")).Single());
        var (exitCode, output, notes) = await ToolProcess.RunAsync(
            cancellationToken, "import", "report", run, "--state", StateOf(tour));
        if (exitCode != 0)
            throw new DemoException($"The tool ended with {exitCode}: {notes}");
        tour.Screen.Text(output.TrimEnd());
        (exitCode, output, notes) = await ToolProcess.RunAsync(
            cancellationToken, "import", "status", run, "--json", "--state", StateOf(tour));
        if (exitCode != 0)
            throw new DemoException($"The tool ended with {exitCode}: {notes}");
        using var status = JsonDocument.Parse(output);
        var counts = status.RootElement.GetProperty("counts");
        var (succeeded, failed, invalid) = (counts.GetProperty("succeeded").GetInt64(), counts.GetProperty("failed").GetInt64(),
            counts.GetProperty("invalid").GetInt64());
        if (succeeded + failed + invalid != Records || failed != Records / 1000 || invalid != failed)
            throw new DemoException($"{succeeded} + {failed} + {invalid} is not the number of records in the file.");

        tour.Screen.Line("The rejects begin:");
        var rejects = status.RootElement.GetProperty("failureBucket").GetString()!;
        tour.Screen.Text(string.Join('\n', File.ReadLines(rejects).Take(3)));
        var imported = await Order.CountAsync(tour.Service, ImportedStatus, cancellationToken);
        if (imported != succeeded)
            throw new DemoException($"{imported:N0} orders are '{ImportedStatus}' in the database, not {succeeded:N0}.");
        tour.Screen.Good($"each record has exactly one outcome; in the database {imported:N0} orders are '{ImportedStatus}'");
    }
}

/// <summary>The folder of the import's files, removed at the tour's end.</summary>
internal sealed class RecordFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("claimcheck-demo-files-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
