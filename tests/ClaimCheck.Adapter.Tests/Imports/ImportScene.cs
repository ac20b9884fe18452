using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Imports;

/// <summary>A folder that files appear in, and an adapter with an import route over it, which may die and come back.</summary>
internal sealed class ImportScene : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("claimcheck-feed-").FullName;
    private AdapterProcess? adapter;

    private ImportScene(string url)
    {
        Directory.CreateDirectory(Source);
        Settings = new JsonObject
        {
            ["StateDirectory"] = State,
            ["Polling"] = new JsonObject { ["Interval"] = "00:00:00.1" },
            ["Routes"] = new JsonObject(),
        };
        Route = AddRoute("orders", Source, url);
    }

    public static ImportScene For(string url) => new(url);

    public string Source => Path.Combine(folder, "in");

    public string State => Path.Combine(folder, "state");

    /// <summary>The adapter's own settings.</summary>
    public JsonObject Settings { get; }

    /// <summary>The route <c>orders</c>.</summary>
    public JsonObject Route { get; }

    public AdapterProcess Adapter => adapter ?? throw new InvalidOperationException("It is not started.");

    public HttpClient Http { get; private set; } = new();

    public JsonObject AddRoute(string name, string source, string url)
    {
        var route = new JsonObject
        {
            ["Pattern"] = "import",
            ["Import"] = new JsonObject
            {
                [nameof(Source)] = source,
                ["Arrival"] = new JsonObject { ["Complete"] = "rename", ["Poll"] = "00:00:00.05" },
                ["Mapping"] = new JsonObject
                {
                    ["Key"] = "id",
                    ["Fields"] = new JsonObject
                    {
                        ["id"] = new JsonObject { ["From"] = "order_id", ["Required"] = true },
                        ["amount"] = new JsonObject { ["From"] = "total", ["Type"] = "numeric" },
                        ["status"] = new JsonObject { ["Constant"] = "paid" },
                    },
                },
                ["BatchSize"] = 100,
                ["Endpoint"] = new JsonObject { ["Url"] = url, ["Timeout"] = "00:00:10" },
                ["Retry"] = new JsonObject
                {
                    ["Delay"] = "00:00:00.005",
                    ["LongestDelay"] = "00:00:00.05",
                    ["RoundDelay"] = "00:00:00.01",
                    ["LongestRoundDelay"] = "00:00:00.1",
                    ["Rounds"] = 3,
                },
            },
        };
        Settings["Routes"]![name] = route;
        return route;
    }

    /// <summary>A file of orders that appears as a whole.</summary>
    public void Drop(string name, int records, string prefix = "o", Func<int, string>? total = null, string? source = null)
    {
        var text = new StringBuilder("order_id,total\n");
        for (var i = 0; i < records; i++)
            text.Append(CultureInfo.InvariantCulture, $"{prefix}{i},{total?.Invoke(i) ?? $"{i}.50"}\n");
        var path = Path.Combine(source ?? Source, "." + name);
        File.WriteAllText(path, text.ToString());
        File.Move(path, Path.Combine(source ?? Source, name));
    }

    public async Task StartAsync()
    {
        adapter = await AdapterProcess.StartAsync(new Dictionary<string, string>(), "--config", WriteSettings());
        Http.Dispose();
        Http = adapter.NewHttp();
    }

    /// <summary>A run that ends by itself.</summary>
    public Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) =>
        AdapterProcess.RunAsync(new Dictionary<string, string>(), ["--config", WriteSettings(), .. arguments]);

    public async Task KillAsync()
    {
        await Adapter.KillAsync();
        await Adapter.DisposeAsync();
    }

    public async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await Http.GetStringAsync(path))!;

    public async Task<IReadOnlyList<JsonNode>> ImportsAsync(string query = "") =>
        [.. (await GetAsync("/imports" + query))["items"]!.AsArray().Select(each => each!)];

    /// <summary>Waits until the newest import, or one, is in a state.</summary>
    public async Task<JsonNode> BecomesAsync(string state, string? id = null, int imports = 1)
    {
        var last = "";
        try
        {
            return await Eventually.NotNullAsync(async () =>
            {
                var all = await ImportsAsync();
                var import =
                    id is null ? all is [var newest, ..] ? newest : null : all.FirstOrDefault(each => (string)each["id"]! == id);
                last = import?.ToJsonString() ?? "";
                return all.Count >= imports && (string?)import?["state"] == state ? import : null;
            });
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"It did not become {state}: {last}\n{Adapter.Log}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (adapter is not null)
            await adapter.DisposeAsync();
        Http.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string WriteSettings()
    {
        var file = Path.Combine(folder, "adapter.json");
        File.WriteAllText(file, new JsonObject { [nameof(Adapter)] = Settings.DeepClone() }.ToJsonString());
        return file;
    }
}
