using System.Text;
using System.Text.Json.Nodes;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class DropRecordFile
{
    public const int Records = 5_000;
    public const string Status = "imported";
    public static Step Step { get; } = new(
        "A record file appears in a folder",
        $"{Records:N0} records, some of them invalid. The configuration maps each one, and names the target: here the service's\n"
        + "bulk jobs; any HTTP endpoint that answers with a status per record will do.",
        RunAsync);

    public static string SourceOf(Tour tour) => Path.Combine(tour.Known<RecordFolder>().Path, "feeds");

    public static string ConfigOf(Tour tour) => Path.Combine(tour.Known<RecordFolder>().Path, "import.json");

    public static string StateOf(Tour tour) => Path.Combine(tour.Known<RecordFolder>().Path, "state");

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
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
            text.Append($"{number},{Status},\"remark, {i}\"\n");
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
            ["endpoint"] = new JsonObject { ["contract"] = "bulk-jobs", ["operation"] = PostSmallJob.Operation, ["url"] = tour.Client.BaseAddress.ToString() },
        }.ToJsonString(DemoScreen.Json);
        await File.WriteAllTextAsync(ConfigOf(tour), config, cancellationToken);
        tour.Screen.Text(config);
        tour.Screen.Good($"orders.csv, {DemoScreen.Size(text.Length)}");
    }
}

/// <summary>The folder of the import's files, removed at the tour's end.</summary>
internal sealed class RecordFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("claimcheck-demo-files-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
