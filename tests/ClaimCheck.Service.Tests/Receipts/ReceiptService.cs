using System.Text;
using System.Text.Json;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Receipts;

/// <summary>Classes of this collection run one after another over the same processes.</summary>
[CollectionDefinition(Name)]
public sealed class ReceiptTests : ICollectionFixture<ReceiptService>
{
    public const string Name = "receipts";
}

/// <summary>Two real services over one catalog, with short waits between rounds of retries; the other one makes callers
/// wait for them.</summary>
public sealed class ReceiptService : IAsyncLifetime
{
    internal ApiClient Http { get; private set; } = null!;

    /// <summary>The other replica: rounds that end there are followed by an hour's wait.</summary>
    internal ApiClient Patient { get; private set; } = null!;

    internal Scene Scene { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Scene = await Scene.CreateAsync();
        await Scene.SqlAsync(Scene.Source, "CREATE TABLE fickle (id bigint PRIMARY KEY, name text); CREATE TABLE stamped (id "
            + "timestamptz PRIMARY KEY, name text); CREATE TABLE growing AS SELECT * FROM items WHERE id <= 5");
        Scene.AddDataset("fickle", "SELECT id, name FROM fickle WHERE id BETWEEN :least AND :most ORDER BY id", Between);
        Scene.AddDataset("growing", "SELECT id, name FROM growing ORDER BY id", """, "maxRecords": 5, "maxBytes": 5000""");
        Scene.AddDataset("stamped", "SELECT id, name FROM stamped ORDER BY id");
        Scene.AddDataset("tracked", "SELECT id, name FROM items ORDER BY id",
            """, "delivery": { "consumers": ["billing", "crm"], "within": "PT1H", "maxTerminalRatio": 0.01 }""");
        Scene.AddDataset("hasty", "SELECT id, name FROM items ORDER BY id",
            """, "delivery": { "consumers": ["billing", "crm"], "within": "PT2S" }""");
        Scene.AddDataset("empty", "SELECT id, name FROM items WHERE id < 0 ORDER BY id");
        Scene.AddDataset("endless", "SELECT 1::bigint AS id FROM pg_sleep(600)");
        var started = await Task.WhenAll(
            Scene.StartServiceAsync(("ClaimCheck__Receipts__RetryDelay", "00:00:00"), ("ClaimCheck__Receipts__RetryRounds", "3"),
                ("ClaimCheck__Exporting__Parallelism", "4")),
            Scene.StartServiceAsync(
                ("ClaimCheck__Receipts__RetryDelay", "01:00:00"), ("ClaimCheck__Receipts__RetryRounds", "3")));
        Http = new(started[0].NewHttp());
        Patient = new(started[1].NewHttp());
    }

    public async Task DisposeAsync()
    {
        Http?.Dispose();
        Patient?.Dispose();
        await Scene.DisposeAsync();
    }

    /// <summary>A batch of a dataset that is ready: its path.</summary>
    internal async Task<string> BatchAsync(string dataset, string more = "") =>
        $"/v1/batches/{(await Http.ReadyAsync($$"""{ "dataset": "{{dataset}}"{{more}} }""")).Text("batchId")}";

    /// <summary>A batch of <c>fickle</c> with rows of its own, which the test may change.</summary>
    internal async Task<(string Batch, long[] Ids)> FickleAsync(int rows, string more = "")
    {
        var least = Interlocked.Add(ref next, 1_000_000) - 1_000_000;
        await Scene.SqlAsync(
            Scene.Source,
            $"INSERT INTO fickle SELECT g, 'a \"name\", of ' || g FROM generate_series({least}, {least + rows - 1}) g");
        var batch = await BatchAsync(
            "fickle", $$""", "criteria": { "least": {{least}}, "most": {{least + rows - 1}} }{{more}}""");
        return (batch, [.. Enumerable.Range(0, rows).Select(i => least + i)]);
    }

    internal Task<Answer> PutAsync(
        string batch, string consumer, string state, long succeeded, long transient = 0, long terminal = 0,
        ApiClient? http = null) =>
        (http ?? Http).SendAsync("PUT", $"{batch}/receipts/{consumer}", ApiClient.Json(Encoding.UTF8.GetBytes(
            $$"""{ "state": "{{state}}", "succeeded": {{succeeded}}, "transient": {{transient}}, "terminal": {{terminal}} }""")));

    internal Task<Answer> FailAsync(string batch, string consumer, IEnumerable<(object Key, string Class)> failures) =>
        Http.PostAsync($"{batch}/receipts/{consumer}/failures", JsonSerializer.Serialize(failures.Select(failure =>
            new
            {
                key = failure.Key.ToString(),
                @class = failure.Class,
                code = failure.Class == "transient" ? "db_down" : "bad_data",
            })));

    internal Task<Answer> LinesAsync(string batch, string consumer, string lines) =>
        Http.SendAsync("POST", $"{batch}/receipts/{consumer}/failures", new ByteArrayContent(Encoding.UTF8.GetBytes(lines)),
            ("Content-Type", "application/x-ndjson"));

    internal Task<Answer> RetryAsync(string batch, string consumer, ApiClient? http = null) =>
        (http ?? Http).PostAsync($"{batch}/retries", $$"""{ "consumer": "{{consumer}}" }""");

    /// <summary>A round, asked for, as soon as its batch is ready.</summary>
    internal async Task<string> RetriedAsync(string batch, string consumer)
    {
        var asked = await RetryAsync(batch, consumer);
        Assert.True(asked.Status == 202, asked.Text);
        var ready = await Http.GetAsync(asked.Header("Location")!, ("Prefer", "wait=60"));
        Assert.Equal("ready", ready.Json.Text("state"));
        return $"/v1/batches/{ready.Json.Text("batchId")}";
    }

    /// <summary>The keys that a batch holds, in no particular order.</summary>
    internal async Task<long[]> IdsAsync(string batch) =>
        [.. (await Http.GetAsync($"{batch}/records?limit=10000")).Items().Select(record => record.GetProperty("id").GetInt64())];

    internal async Task<(string? State, long Succeeded, long Transient, long Terminal)> CountsAsync(string batch, string consumer)
    {
        var receipt = (await Http.GetAsync($"{batch}/receipts/{consumer}")).Json;
        return (receipt.Text("state"), Count("succeeded"), Count("transient"), Count("terminal"));

        long Count(string name) => receipt.GetProperty(name).GetInt64();
    }

    private const string Between = """, "parameters": { "least": { "type": "bigint" }, "most": { "type": "bigint" } }""";
    private static long next = 1_000_000;
}
