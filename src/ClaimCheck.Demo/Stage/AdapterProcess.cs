namespace ClaimCheck.Demo.Stage;

/// <summary>The adapter as a child process, with one route, and a folder beside it that a consumer system reads from.</summary>
internal sealed class AdapterProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerOptions.Default) { WriteIndented = true };
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("claimcheck-demo-adapter-");
    private readonly ChildProcess process;

    private AdapterProcess(Uri service, string route, JsonObject settings, Func<string, JsonObject> destination)
    {
        Place = folder.CreateSubdirectory("place").FullName;
        settings["Destination"] = destination(Place);
        Route = new JsonObject { [route] = settings };
        var file = Path.Combine(folder.FullName, "adapter.json");
        var all = new JsonObject
        {
            ["Adapter"] = new JsonObject
            {
                ["Service"] = service.ToString(),
                ["Consumer"] = "billing",
                ["StateDirectory"] = Path.Combine(folder.FullName, "state"),
                // A demo should not take long.
                ["Polling"] = new JsonObject
                {
                    ["Interval"] = "00:00:00.5",
                    ["LongestInterval"] = "00:00:01",
                    ["RevocationInterval"] = "00:00:01",
                },
                ["Routes"] = Route.DeepClone(),
            },
        };
        File.WriteAllText(file, all.ToJsonString(Indented));
        process = ChildProcess.Start(
            "adapter", BuiltProgram.Find("ClaimCheck.Adapter"), folder.FullName, Path.Combine(folder.FullName, "adapter.log"),
            ["--config", file], new Dictionary<string, string?>());
    }

    /// <summary>Where files are pushed to, where the route pushes any.</summary>
    public string Place { get; }

    /// <summary>The route, as it is configured.</summary>
    public JsonObject Route { get; }

    public Uri Address { get; private set; } = null!;

    public static AdapterProcess Start(Uri service, string route, JsonObject settings, Func<string, JsonObject> destination) =>
        new(service, route, settings, destination);

    /// <summary>Waits until it listens and says that it is ready.</summary>
    public async Task ReadyAsync(HttpClient http, CancellationToken cancellationToken)
    {
        Address = await process.ListeningAsync(cancellationToken);
        await process.ReadyAsync(http, Address, cancellationToken);
    }

    /// <summary>The newest export of the adapter, or null.</summary>
    public async Task<AdapterExport?> NewestAsync(HttpClient http, CancellationToken cancellationToken) =>
        (await http.GetFromJsonAsync<Page<AdapterExport>>(
            new Uri(Address, "exports?limit=1"), ClaimCheckJson.Options, cancellationToken))!.Items is [var newest, ..]
            ? newest
            : null;

    public async Task<AdapterExport> GetAsync(HttpClient http, string id, CancellationToken cancellationToken) =>
        (await http.GetFromJsonAsync<AdapterExport>(
            new Uri(Address, $"exports/{id}"), ClaimCheckJson.Options, cancellationToken))!;

    /// <summary>Asks the adapter for an export, as a consumer system does.</summary>
    public async Task<AdapterExport> AskAsync(HttpClient http, object request, CancellationToken cancellationToken)
    {
        using var answer = await http.PostAsJsonAsync(
            new Uri(Address, "exports"), request, ClaimCheckJson.Options, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.Accepted)
            throw new DemoException($"POST /exports answered {(int)answer.StatusCode}, not 202.");
        return (await answer.Content.ReadFromJsonAsync<AdapterExport>(ClaimCheckJson.Options, cancellationToken))!;
    }

    /// <summary>Waits for a state of an export, by default of the first one, and reports each state on the way.</summary>
    public async Task<AdapterExport> UntilAsync(
        HttpClient http, string? id, string state, Action<AdapterExport> changed, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Patience);
        string? seen = null;
        try
        {
            while (true)
            {
                var export = id is null ? await NewestAsync(http, deadline.Token) : await GetAsync(http, id, deadline.Token);
                id = export?.Id;
                if (export is not null && export.State != seen)
                {
                    seen = export.State;
                    changed(export);
                }
                if (seen == state)
                    return export!;
                if (seen is "failed" or "cancelled" or "revoked")
                    throw new DemoException($"The adapter's export is {seen}, not {state}.");
                await Task.Delay(Pause, deadline.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DemoException(
                $"The adapter's export is {seen ?? "not there"}, not {state}, after {Patience.TotalSeconds} seconds.");
        }
    }

    public string KeepLog()
    {
        var kept = folder.FullName + ".log";
        File.Copy(Path.Combine(folder.FullName, "adapter.log"), kept, overwrite: true);
        return kept;
    }

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        folder.Delete(recursive: true);
    }
}

/// <summary>An export, as the adapter shows it.</summary>
internal sealed record AdapterExport
{
    public required string Id { get; init; }

    public required string State { get; init; }

    public BatchId? BatchId { get; init; }

    public long? Records { get; init; }

    public string? Folder { get; init; }

    public Link? Link { get; init; }

    /// <summary>Id and state only: a link is a secret.</summary>
    public override string ToString() => $"{Id} is {State}";
}
