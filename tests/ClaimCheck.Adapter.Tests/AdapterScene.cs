using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests;

/// <summary>A service, a shared folder, a consumer system, and an adapter that may die and come back.</summary>
internal sealed class AdapterScene : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("claimcheck-adapter-").FullName;
    private readonly Dictionary<string, string> environment = new(StringComparer.Ordinal);
    private AdapterProcess? adapter;

    private AdapterScene(Scene scene, ServiceProcess service, ConsumerSystem consumer)
    {
        (Scene, Service, Consumer) = (scene, service, consumer);
        Client = new(service.Address);
        Settings = new JsonObject
        {
            [nameof(Service)] = service.Address.ToString(),
            [nameof(Consumer)] = "billing",
            ["StateDirectory"] = Path.Combine(folder, "state"),
            ["AllowedLinkHosts"] = new JsonArray(service.Address.Authority),
            ["Polling"] = new JsonObject
            {
                ["Interval"] = "00:00:00.1",
                ["LongestInterval"] = "00:00:00.5",
                ["RevocationInterval"] = "00:00:00.5",
                ["RevocationChecksPerSecond"] = 100,
            },
            ["Retry"] = new JsonObject { ["Delay"] = "00:00:00.1", ["LongestDelay"] = "00:00:00.5" },
            ["Routes"] = new JsonObject(),
        };
    }

    public Scene Scene { get; }

    public ServiceProcess Service { get; }

    public ConsumerSystem Consumer { get; }

    /// <summary>Of the service.</summary>
    public ClaimCheckClient Client { get; }

    /// <summary>The adapter's own settings.</summary>
    public JsonObject Settings { get; }

    public AdapterProcess Adapter => adapter ?? throw new InvalidOperationException("It is not started.");

    public HttpClient Http { get; private set; } = new();

    /// <summary>Where events come from; null for the feed.</summary>
    public string? QueueUrl { get; private set; }

    public string Shared => Path.Combine(folder, "shared");

    public string State => Path.Combine(folder, "state");

    public static async Task<AdapterScene> CreateAsync(
        int items = 1000, bool onS3 = false, params (string Name, string Value)[] service)
    {
        return await CreateAsync(await Scene.CreateAsync(items, onS3), service);
    }

    /// <summary>Over a scene of one's own.</summary>
    public static async Task<AdapterScene> CreateAsync(Scene scene, params (string Name, string Value)[] service)
    {
        var made = new AdapterScene(scene, await scene.StartServiceAsync(service), await ConsumerSystem.StartAsync());
        Directory.CreateDirectory(made.Shared);
        return made;
    }

    /// <summary>With a queue that the service's events go to, and routes that listen to it.</summary>
    public static async Task<AdapterScene> CreateWithQueueAsync(
        int items = 1000, bool onS3 = false, params (string Name, string Value)[] service)
    {
        var endpoint = await QueueEndpoint.GetAsync();
        var topic = await endpoint.NewTopicAsync();
        var scene = await CreateAsync(
            items, onS3, [.. service, .. endpoint.Environment.Select(each => (each.Key, each.Value)),
                ("ClaimCheck__Publishing__TopicArn", topic)]);
        scene.QueueUrl = (await endpoint.NewQueueAsync(topic, new() { RawDelivery = true })).Url;
        foreach (var (name, value) in endpoint.Environment)
            scene.Set(name, value);
        return scene;
    }

    /// <summary>A variable of the adapter's process.</summary>
    public void Set(string name, string value) => environment[name] = value;

    /// <summary>Adds a route to the shared folder.</summary>
    public JsonObject AddRoute(string name, string pattern, string dataset = "items", bool notifies = false)
    {
        var route = new JsonObject
        {
            ["Pattern"] = pattern,
            ["Dataset"] = dataset,
            ["Destination"] = new JsonObject
            {
                ["Folder"] = name + "/{batchId}",
                ["Location"] = new JsonObject { ["Kind"] = "folder", ["Path"] = Shared },
            },
        };
        if (pattern is "ar-2" or "ar-3")
            route["Events"] = QueueUrl is null ? "feed" : "sqs";
        if (QueueUrl is not null)
            route[nameof(QueueUrl)] = QueueUrl;
        if (notifies)
            route["Notify"] = new JsonObject { ["Url"] = Consumer.Url, ["Secret"] = Consumer.Secret };
        Settings["Routes"]![name] = route;
        return route;
    }

    public async Task StartAsync(params string[] within)
    {
        adapter = await AdapterProcess.StartAsync(environment, within, ["--config", WriteSettings()]);
        Http.Dispose();
        Http = adapter.NewHttp();
    }

    /// <summary>A run that ends by itself.</summary>
    public Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) =>
        AdapterProcess.RunAsync(environment, ["--config", WriteSettings(), .. arguments]);

    public async Task KillAsync()
    {
        await Adapter.KillAsync();
        await Adapter.DisposeAsync();
    }

    public async Task<JsonNode> AskAsync(object body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/exports") { Content = JsonContent.Create(body) };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        using var response = await Http.SendAsync(request);
        Assert.True(
            response.IsSuccessStatusCode, $"{response.StatusCode}: {await response.Content.ReadAsStringAsync()}\n{Adapter.Log}");
        return (await response.Content.ReadFromJsonAsync<JsonNode>())!;
    }

    public async Task<JsonNode> GetAsync(string path) => (await Http.GetFromJsonAsync<JsonNode>(path))!;

    public async Task<IReadOnlyList<JsonNode>> ExportsAsync() =>
        [.. (await GetAsync("/exports?limit=1000"))["items"]!.AsArray().Select(each => each!)];

    /// <summary>Waits until an export of the adapter is in a state.</summary>
    public async Task<JsonNode> BecomesAsync(string id, string state)
    {
        var last = "";
        try
        {
            return await Eventually.NotNullAsync(async () =>
            {
                var export = await GetAsync($"/exports/{id}");
                last = export.ToJsonString();
                return (string)export["state"]! == state ? export : null;
            });
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"It did not become {state}: {last}\n{Adapter.Log}", e);
        }
    }

    /// <summary>Waits for a notice about an export.</summary>
    public async Task<Heard> HearsAsync(string id, string type)
    {
        try
        {
            return await Eventually.NotNullAsync(() =>
                Task.FromResult(Consumer.Taken.FirstOrDefault(each => each.Type == type && (string)each.Data["id"]! == id)));
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"No {type} of {id} came.\n{Adapter.Log}", e);
        }
    }

    /// <summary>How many exports the service was asked for.</summary>
    public async Task<IReadOnlyList<Export>> AtServiceAsync() => (await Client.ListExportsAsync(limit: 1000)).Items;

    /// <summary>Reads what was delivered: complete, and as the manifest says.</summary>
    public long Records(string deliveredFolder)
    {
        var directory = Path.Combine(Shared, deliveredFolder);
        Assert.True(File.Exists(Path.Combine(directory, "_SUCCESS")), $"{deliveredFolder} is not complete.");
        using var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory, "manifest.json")));
        foreach (var file in manifest.RootElement.GetProperty("files").EnumerateArray())
        {
            var bytes = File.ReadAllBytes(Path.Combine(directory, file.GetProperty("name").GetString()!));
            Assert.Equal(file.GetProperty("sha256").GetString(), Convert.ToHexStringLower(
                System.Security.Cryptography.SHA256.HashData(bytes)));
        }

        return manifest.RootElement.GetProperty("records").GetInt64();
    }

    public bool HasData(string deliveredFolder) =>
        Directory.Exists(Path.Combine(Shared, deliveredFolder))
        && Directory.EnumerateFiles(Path.Combine(Shared, deliveredFolder), "part-*").Any();

    public async ValueTask DisposeAsync()
    {
        if (adapter is not null)
            await adapter.DisposeAsync();
        Http.Dispose();
        Client.Dispose();
        await Consumer.DisposeAsync();
        await Scene.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private string WriteSettings()
    {
        var file = Path.Combine(folder, "adapter.json");
        File.WriteAllText(file, new JsonObject { [nameof(Adapter)] = Settings.DeepClone() }.ToJsonString());
        return file;
    }
}
