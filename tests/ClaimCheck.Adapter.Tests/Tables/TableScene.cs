using System.Text.Json.Nodes;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Tables;

/// <summary>An adapter with a route into a table of a consumer's own database.</summary>
internal sealed class TableScene : IAsyncDisposable
{
    public const string Items = "CREATE TABLE items (id bigint PRIMARY KEY, name text)";

    private TableScene(AdapterScene adapter, string database) => (Adapter, Database) = (adapter, database);

    public AdapterScene Adapter { get; }

    /// <summary>The consumer's.</summary>
    public string Database { get; }

    public JsonObject Destination => (JsonObject)Adapter.Settings["Routes"]!["table"]![nameof(Destination)]!;

    public static async Task<TableScene> CreateAsync(
        string tables, string pattern = "ar-4", int items = 1000, params (string Name, JsonNode Value)[] more) =>
        await CreateAsync(await AdapterScene.CreateAsync(items), tables, pattern, more);

    /// <summary>The same, and its events come from a queue.</summary>
    public static async Task<TableScene> CreateWithQueueAsync(
        string tables, string pattern, params (string Name, JsonNode Value)[] more) =>
        await CreateAsync(await AdapterScene.CreateWithQueueAsync(), tables, pattern, more);

    public Task SqlAsync(string sql) => Scene.SqlAsync(Database, sql);

    public Task<T?> ScalarAsync<T>(string sql) => Scene.ScalarAsync<T>(Database, sql);

    /// <summary>Asks for an export as a consumer system does.</summary>
    public async Task<string> AskAsync(object? criteria = null) => (string)(await Adapter.AskAsync(new { criteria }))["id"]!;

    public async Task<JsonNode> LoadAsync(object? criteria = null) =>
        await Adapter.BecomesAsync(await AskAsync(criteria), "delivered");

    /// <summary>What the service has been told of a batch, once it is in a state.</summary>
    public async Task<Receipt> ReceiptAsync(BatchId batch, string state)
    {
        Receipt? last = null;
        try
        {
            return await Eventually.NotNullAsync(async () =>
            {
                last = (await Adapter.Client.GetReceiptsAsync(batch)).Items.SingleOrDefault();
                return last?.State == state ? last : null;
            });
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException(
                $"The receipt did not become {state}: {last?.State} "
                + $"{last?.Succeeded}/{last?.Transient}/{last?.Terminal}\n{Adapter.Adapter.Log}",
                e);
        }
    }

    public static BatchId BatchOf(JsonNode export) => BatchId.TryParse((string)export["batchId"]!, out var batch)
        ? batch
        : throw new InvalidOperationException("It has no batch.");

    public ValueTask DisposeAsync() => Adapter.DisposeAsync();

    private static async Task<TableScene> CreateAsync(
        AdapterScene adapter, string tables, string pattern, (string Name, JsonNode Value)[] more)
    {
        var scene = new TableScene(adapter, await PostgresServer.NewDatabaseAsync());
        if (tables.Length > 0)
            await scene.SqlAsync(tables);
        var route = scene.Adapter.AddRoute("table", pattern);
        var destination = new JsonObject
        {
            ["Kind"] = "table",
            ["ConnectionString"] = scene.Database,
            ["Table"] = "items",
            ["Lease"] = "00:00:01",
        };
        foreach (var (name, value) in more)
            destination[name] = value;
        route[nameof(Destination)] = destination;
        return scene;
    }
}
