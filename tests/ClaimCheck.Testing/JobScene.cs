using System.Net.Http.Json;
using System.Text;
using ClaimCheck.Contracts;

namespace ClaimCheck.Testing;

/// <summary>
/// A scene with a target for bulk jobs: a table <c>orders (id, status, touched)</c> whose trigger counts, in the row itself, how
/// often an update of it was committed; and operations over it: <c>item</c>, <c>set</c>, <c>chunk</c>,
/// <c>whole</c> and <c>loose</c>.
/// </summary>
internal sealed class JobScene : IAsyncDisposable
{
    private const string Item = "UPDATE orders SET status = :status WHERE id = :id";
    private const string Set = "UPDATE orders o SET status = i.status FROM items i WHERE o.id = i.id RETURNING i.ordinal";

    private JobScene(Scene scene) => Scene = scene;

    public Scene Scene { get; }

    public string Target => Scene.Source;

    public string Operations => Path.Combine(Scene.DataDirectory, "..", "operations");

    /// <param name="orders">Rows: <c>ord_0</c> and so on.</param>
    /// <param name="chunk">Items in a chunk.</param>
    /// <param name="onS3">Staging in a bucket.</param>
    /// <param name="hasNotes">Whether the script for exactly once was run in the target.</param>
    public static async Task<JobScene> CreateAsync(int orders = 1000, int chunk = 100, bool onS3 = false, bool hasNotes = true)
    {
        var scene = new JobScene(await Scene.CreateAsync(100, onS3));
        Directory.CreateDirectory(scene.Operations);
        await Scene.SqlAsync(
            scene.Target,
            $"""
            CREATE TABLE orders (id text PRIMARY KEY, status text NOT NULL CHECK (status <> 'bad'), touched integer NOT NULL DEFAULT 0, history text NOT NULL DEFAULT '');
            INSERT INTO orders SELECT 'ord_' || g, 'new' FROM generate_series(0, {orders - 1}) g;
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN NEW.touched := OLD.touched + 1; NEW.history := OLD.history || NEW.status || ';'; RETURN NEW; END $$;
            CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
            ANALYZE orders;
            """);
        if (hasNotes)
            await Scene.SqlAsync(scene.Target, ClaimCheck.Service.BulkJobs.Targets.TargetScript.Sql);
        scene.AddOperation("item", "item", Item, $""", "chunk": {chunk}""");
        scene.AddOperation("set", "set", Set, $""", "chunk": {chunk}""");
        scene.AddOperation("chunk", "item", Item, $""", "chunk": {chunk}, "atomicity": "chunk" """);
        scene.AddOperation("chunkset", "set", Set, $""", "chunk": {chunk}, "atomicity": "chunk" """);
        scene.AddOperation("whole", "item", Item, $""", "chunk": {chunk}, "atomicity": "job" """);
        scene.AddOperation("loose", "item", Item, $""", "chunk": {chunk}, "delivery": "atLeastOnce" """);
        scene.Scene.Settings["ClaimCheck__Operations"] = scene.Operations;
        scene.Scene.Settings["ClaimCheck__BulkJobs__Delay"] = "00:00:00.05";
        return scene;
    }

    public void AddOperation(string name, string form, string sql, string more = "", string parameters =
        """{ "id": { "type": "text" }, "status": { "type": "text" } }""")
    {
        File.WriteAllText(
            Path.Combine(Operations, name + ".json"),
            $$"""{ "target": "source", "form": "{{form}}", "key": "id", "parameters": {{parameters}}{{more}} }""");
        File.WriteAllText(Path.Combine(Operations, name + ".sql"), sql);
    }

    /// <summary>A body of NDJSON that sets these orders' status.</summary>
    public static string Ndjson(IEnumerable<(string Id, string Status)> items) =>
        string.Concat(items.Select(item => $$"""{"id":"{{item.Id}}","status":"{{item.Status}}"}""" + "\n"));

    public static string Ndjson(int orders, string status = "shipped") =>
        Ndjson(Enumerable.Range(0, orders).Select(i => ($"ord_{i}", status)));

    public static async Task<BulkJob> PostAsync(
        HttpClient http, string operation, string body, string type = "application/x-ndjson")
    {
        using var answer = await TryPostAsync(http, operation, body, type);
        if ((int)answer.StatusCode is not (200 or 202))
            throw new InvalidOperationException($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        return (await answer.Content.ReadFromJsonAsync<BulkJob>(ClaimCheckJson.Options))!;
    }

    public static async Task<HttpResponseMessage> TryPostAsync(
        HttpClient http, string operation, string body, string type = "application/x-ndjson")
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return await http.PostAsync(
            type == "application/json" ? "/v1/bulk-jobs" : $"/v1/bulk-jobs?operation={operation}", content);
    }

    public static async Task<BulkJob> GetAsync(HttpClient http, BulkJob job) =>
        (await http.GetFromJsonAsync<BulkJob>($"/v1/bulk-jobs/{job.JobId}", ClaimCheckJson.Options))!;

    public static Task<BulkJob> EndedAsync(HttpClient http, BulkJob job) => Eventually.NotNullAsync(
        async () => await GetAsync(http, job) is var now && BulkJobStatus.IsEnd(now.Status) ? now : null,
        TimeSpan.FromSeconds(90),
        $"{job.JobId} has ended");

    /// <summary>All outcomes, through the link.</summary>
    public static async Task<IReadOnlyList<BulkItemOutcome>> ResultsAsync(HttpClient http, BulkJob ended)
    {
        var text = await http.GetStringAsync(ended.ResultUrl!.Reveal());
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
            System.Text.Json.JsonSerializer.Deserialize<BulkItemOutcome>(line, ClaimCheckJson.Options)!)];
    }

    /// <summary>How many orders were updated how often.</summary>
    public Task<string?> TouchesAsync() => Scene.ScalarAsync<string>(
        Target, "SELECT string_agg(touched || ':' || n, ' ' ORDER BY touched) FROM (SELECT touched, count(*) AS n FROM "
            + "orders GROUP BY touched) t");

    public ValueTask DisposeAsync() => Scene.DisposeAsync();
}
