using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClaimCheck.Import.Runs;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClaimCheck.Import.Tests;

/// <summary>A folder of its own, with files, a state directory, and options that send to an endpoint
/// without long pauses.</summary>
internal sealed class ImportScene : IAsyncDisposable
{
    private ImportScene(Uri endpoint)
    {
        State = Path.Combine(Folder, "state");
        Options = new ImportOptions
        {
            Name = "orders",
            State = State,
            Mapping = new()
            {
                Key = "id",
                Fields = new()
                {
                    ["id"] = new() { From = "order_id", Required = true },
                    ["amount"] = new() { From = "total", Type = "numeric" },
                    ["status"] = new() { Constant = "paid" },
                },
            },
            BatchSize = 100,
            Endpoint = new() { Url = endpoint.AbsoluteUri, Timeout = TimeSpan.FromSeconds(10) },
            Retry = new()
            {
                Tries = 3,
                Delay = TimeSpan.FromMilliseconds(5),
                LongestDelay = TimeSpan.FromMilliseconds(50),
                Rounds = 4,
                RoundDelay = TimeSpan.FromMilliseconds(10),
                LongestRoundDelay = TimeSpan.FromMilliseconds(100),
            },
            Arrival = new() { Poll = TimeSpan.FromMilliseconds(50), Settle = TimeSpan.FromMilliseconds(300) },
        };
    }

    public static ImportScene For(Uri endpoint) => new(endpoint);

    public string Folder { get; } = Directory.CreateTempSubdirectory("claimcheck-import-").FullName;

    public string State { get; }

    public ImportOptions Options { get; }

    public ImportRuns Runs => new(State, TimeProvider.System);

    public static string Csv(int records, int from = 1)
    {
        var text = new StringBuilder("order_id,total,note\n");
        for (var i = from; i < from + records; i++)
            text.Append(CultureInfo.InvariantCulture, $"o{i:D7},{i}.50,\"note, {i}\"\n");
        return text.ToString();
    }

    public string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    public string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public static byte[] Gzip(string text)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return bytes.ToArray();
    }

    public ImportRunner Runner() => new(Options, TimeProvider.System, NullLogger.Instance);

    public async Task<ImportRun> ImportAsync(string path, bool again = false)
    {
        using var runner = Runner();
        return await runner.StartAsync(path, again, null, _ => { }, CancellationToken.None);
    }

    public async Task WatchOnceAsync()
    {
        using var runner = Runner();
        await runner.WatchAsync(once: true, again: false, null, _ => { }, CancellationToken.None);
    }

    /// <summary>The options as a file, for the tool.</summary>
    public string WriteConfig(Uri endpoint)
    {
        Options.Endpoint.Url = endpoint.AbsoluteUri;
        return Write("import.json", JsonSerializer.Serialize(Options, JsonSerializerOptions.Web));
    }

    /// <summary>The rejects, line by line.</summary>
    public async Task<IReadOnlyList<JsonNode>> FailuresAsync(string runId)
    {
        var lines = new List<JsonNode>();
        await foreach (var line in new RunDirectory(Path.Combine(State, "runs", runId)).RejectLinesAsync(CancellationToken.None))
            lines.Add(JsonNode.Parse(line)!);
        return lines;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
