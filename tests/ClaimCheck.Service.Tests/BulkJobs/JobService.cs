using ClaimCheck.Contracts;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.BulkJobs;

/// <summary>One service over a target that each test of a class begins anew.</summary>
public sealed class JobService : IAsyncLifetime
{
    public const int Orders = 1000;

    internal JobScene Scene { get; private set; } = null!;

    internal ServiceProcess Process { get; private set; } = null!;

    internal HttpClient Http { get; private set; } = null!;

    internal ApiClient Api { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Scene = await JobScene.CreateAsync(Orders);
        Scene.Scene.Settings["ClaimCheck__BulkJobs__MaxAtomicItems"] = "990";
        Scene.AddOperation("gated", "item", Gated("ord_350"), """, "chunk": 100 """);
        Scene.AddOperation(
            "typed",
            "item",
            "UPDATE orders SET status = concat_ws('|', :n, :flag, :at, :tags::text, :doc->>'a', :day) WHERE id = :id",
            """, "atomicity": "item" """,
            """
            { "id": { "type": "text" }, "n": { "type": "integer", "required": false }, "flag": { "type": "boolean", "required": false },
              "at": { "type": "timestamptz", "required": false }, "tags": { "type": "text[]", "required": false },
              "doc": { "type": "jsonb", "required": false }, "day": { "type": "date", "required": false } }
            """);
        Scene.AddOperation("copy", "set", "UPDATE copies c SET name = i.name FROM items i WHERE c.id = i.id RETURNING i.ordinal",
            """, "chunk": 100 """,
            """{ "id": { "type": "bigint" }, "name": { "type": "text", "required": false } }""");
        await Testing.Scene.SqlAsync(
            Scene.Target, "CREATE TABLE copies AS SELECT id, 'none'::text AS name FROM generate_series(1::bigint, 2000) id");
        Process = await Scene.Scene.StartServiceAsync();
        Http = Process.NewHttp();
        Api = new(Process.NewHttp());
    }

    /// <summary>A statement that waits at one order until the advisory lock 4711 is let go.</summary>
    public static string Gated(string order) =>
        $"UPDATE orders SET status = :status WHERE id = :id AND CASE WHEN id = '{order}' THEN "
        + "pg_advisory_xact_lock_shared(4711)::text IS NOT NULL ELSE true END";

    public Task ResetAsync() => Testing.Scene.SqlAsync(
        Scene.Target,
        $"TRUNCATE orders; INSERT INTO orders SELECT 'ord_' || g, 'new' FROM generate_series(0, {Orders - 1}) g");

    /// <summary>The events about a job.</summary>
    public async Task<IReadOnlyList<System.Text.Json.JsonElement>> EventsAsync(JobId job) =>
        [.. (await Api.GetAsync("/v1/events?limit=1000")).Items().Where(item => item.Text("subject") == job.ToString())];

    /// <summary>Neither in staging nor in the ledger is anything beside what jobs have.</summary>
    public Task NothingStaysAsync() => Eventually.TrueAsync(async () =>
        await Testing.Scene.ScalarAsync<long>(Scene.Scene.Catalog, "SELECT count(*) FROM bulk_job_intakes") == 0
        && await Testing.Scene.ScalarAsync<long>(
            Scene.Scene.Catalog,
            "SELECT count(*) FROM bulk_job_uploads u WHERE NOT EXISTS (SELECT FROM bulk_jobs j WHERE j.id = u.job_id)") == 0
        && Directory.GetFiles(Path.Combine(Scene.Scene.Staging, "uploads")).Length == 0);

    public async Task DisposeAsync()
    {
        Http?.Dispose();
        Api?.Dispose();
        await Scene.DisposeAsync();
    }
}
