using System.Net;
using System.Net.Http.Json;
using ClaimCheck.Contracts;
using ClaimCheck.EndToEnd.Tests.Failures;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Publishing;

/// <summary>A service that may call loopback and tries again soon, a receiver, and someone who subscribes it.</summary>
internal sealed class HookScene : IAsyncDisposable
{
    private HookScene(Scene scene, HookReceiver receiver) => (Scene, Receiver) = (scene, receiver);

    public Scene Scene { get; }

    public HookReceiver Receiver { get; }

    public ServiceProcess Service { get; private set; } = null!;

    public Client Client { get; private set; } = null!;

    /// <param name="retries">Waits between tries.</param>
    /// <param name="settings">More of the service's.</param>
    public static async Task<HookScene> StartAsync(string[]? retries = null, params (string Name, string Value)[] settings)
    {
        var scene = await Scene.CreateAsync(items: 10);
        scene.Settings["ClaimCheck__Webhooks__AllowPrivateAddresses"] = "true";
        foreach (var (wait, at) in (retries ?? ["00:00:00.1", "00:00:00.1", "01:00:00"]).Select((wait, at) => (wait, at)))
            scene.Settings[$"ClaimCheck__Webhooks__Retries__{at}"] = wait;
        foreach (var (name, value) in settings)
            scene.Settings[name] = value;
        var hooks = new HookScene(scene, await HookReceiver.StartAsync());
        await hooks.RestartAsync();
        return hooks;
    }

    /// <summary>Another process takes the place of the one before, which is gone or goes with the scene.</summary>
    public async Task RestartAsync(params (string Name, string Value)[] settings)
    {
        Client?.Dispose();
        Service = await Scene.StartServiceAsync(settings);
        Client = new(Service);
    }

    public async Task<Subscription> SubscribeAsync(string path = "/hooks", string consumer = "billing", string more = "")
    {
        using var answer = await Client.Http.PostAsync("/v1/subscriptions", Json(
            $$"""{ "consumer": "{{consumer}}", "protocol": "webhook", "endpoint": "{{Receiver.Url(path)}}"{{more}} }"""));
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<Subscription>(ClaimCheckJson.Options))!;
    }

    public async Task<Subscription> FindAsync(Subscription subscription) =>
        (await Client.Http.GetFromJsonAsync<Subscription>(Path(subscription), ClaimCheckJson.Options))!;

    public async Task<IReadOnlyList<WebhookDelivery>> LogAsync(Subscription subscription) =>
        (await Client.Http.GetFromJsonAsync<Page<WebhookDelivery>>(
            Path(subscription) + "/deliveries", ClaimCheckJson.Options))!.Items;

    /// <summary>Waits for one delivery's state.</summary>
    public Task<WebhookDelivery> UntilAsync(
        Subscription subscription, string state, int tries = 0, string type = EventTypes.BulkReady) => Eventually.NotNullAsync(
            async () => (await LogAsync(subscription)).FirstOrDefault(
                delivery => delivery.State == state && delivery.Tries >= tries && delivery.Type == type),
            what: $"{type} is {state} after {tries} tries");

    public async Task<T> PostAsync<T>(string path, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var answer = await Client.Http.PostAsync(path, null);
        Assert.Equal(expected, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<T>(ClaimCheckJson.Options))!;
    }

    /// <summary>An export that is ready: one BulkReady in the feed.</summary>
    public async Task<Export> ExportAsync() => await Client.UntilAsync(await Client.AskAsync("items"), ExportState.Ready);

    public Task SqlAsync(string sql) => Scene.SqlAsync(Scene.Catalog, sql);

    public static string Path(Subscription subscription) => $"/v1/subscriptions/{subscription.SubscriptionId}";

    public static HttpContent Json(string json) => new StringContent(json, System.Text.Encoding.UTF8, "application/json");

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        await Receiver.DisposeAsync(); // first: nothing is held any more
        await Scene.DisposeAsync();
    }
}
