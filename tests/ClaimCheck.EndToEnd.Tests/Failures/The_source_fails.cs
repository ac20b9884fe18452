using System.Net;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>A source that fails halfway: a clear code, nothing staged stays; what passes by itself is tried again.</summary>
public sealed class The_source_fails
{
    private const int Items = 30_000;

    [Fact]
    public async Task What_no_try_would_mend_fails_the_export_with_a_clear_code_and_leaves_nothing()
    {
        await using var scene = await Scene.CreateAsync(Items);
        scene.AddDataset("division", "SELECT id, name, 1 / (25000 - id) AS share FROM items ORDER BY id");
        scene.AddDataset("nulls", "SELECT nullif(id, 25000) AS id, name FROM (SELECT id, name FROM items ORDER BY id) i");
        scene.AddDataset("doubles", "SELECT i.id - (i.id = 25000)::int AS id, i.name FROM items i ORDER BY id");
        scene.AddDataset("large", "SELECT id, name FROM items ORDER BY id", """, "maxRecords": 25000""");
        // Longer than the driver waits for an answer: a sort may take its time before the first row comes.
        scene.AddDataset("late", "SELECT i.id, i.name FROM items i, LATERAL (SELECT CASE WHEN i.id = 1 THEN pg_sleep(33)::text "
            + "END) pause ORDER BY id");
        var service = await scene.StartServiceAsync(("ClaimCheck__Exporting__Parallelism", "4"));
        using var client = new Client(service);

        var late = await client.AskAsync("late");
        var division = await client.AskAsync("division");
        var nulls = await client.AskAsync("nulls");
        var doubles = await client.AskAsync("doubles");
        var large = await client.AskAsync("large");

        await AssertFailedAsync(scene, client, division, "source_query_failed", transient: false);
        await AssertFailedAsync(scene, client, nulls, "key_null", transient: false);
        await AssertFailedAsync(scene, client, doubles, "key_not_unique", transient: false);
        await AssertFailedAsync(scene, client, large, "export_too_large", transient: false);
        await client.UntilAsync(late, ExportState.Ready);
        await client.AssertWholeAsync(late, Items);
        await client.EventAsync(late, EventTypes.BulkReady);
        Assert.Equal(0, await TriesAsync(scene, late));
        await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3), late);
    }

    [Fact]
    public async Task A_query_that_takes_too_long_or_has_other_columns_by_now_fails()
    {
        await using var scene = await Scene.CreateAsync(Items);
        await Scene.SqlAsync(scene.Source, "CREATE TABLE shaped AS SELECT * FROM items");
        scene.AddDataset("shaped", "SELECT id, name FROM shaped ORDER BY id");
        scene.AddDataset("held", Hold.Gated(25_000));
        var api = await scene.StartServiceAsync(("ClaimCheck__Roles", "api"));
        using var client = new Client(api);
        var shaped = await client.AskAsync("shaped");
        var held = await client.AskAsync("held");
        await Scene.SqlAsync(scene.Source, "ALTER TABLE shaped ALTER COLUMN name TYPE varchar(1000)");
        await using var gate = await Hold.TakeAsync(scene.Source, Hold.Gate);

        await scene.StartServiceAsync(("ClaimCheck__Roles", "worker"), ("ClaimCheck__Exporting__StatementTimeout", "00:00:03"));

        await AssertFailedAsync(scene, client, shaped, "schema_changed", transient: false);
        await AssertFailedAsync(scene, client, held, "source_query_timeout", transient: false);
        await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3));
    }

    [Fact]
    public async Task A_query_that_was_interrupted_is_tried_again_until_the_tries_are_used_up()
    {
        await using var scene = await Scene.CreateAsync(Items);
        await using var wire = new Wire(scene.Source);
        scene.AddDataset("held", Hold.Gated(25_000));
        scene.Settings["ConnectionStrings__source"] = wire.ConnectionString;
        var service = await scene.StartServiceAsync(
            ("ClaimCheck__Exporting__Tries", "3"),
            ("ClaimCheck__Exporting__Delay", "00:00:00.5"),
            ("ClaimCheck__Exporting__LongestDelay", "00:00:00.5"));
        using var client = new Client(service);
        var exports = new List<Export>();
        foreach (var interrupt in (Func<Task>[])
            [
                () => EndAsync("pg_cancel_backend"),
                () => EndAsync("pg_terminate_backend"),
                () =>
                {
                    wire.Cut();
                    wire.Mend();
                    return Task.CompletedTask;
                },
            ])
        {
            await using var gate = await Hold.TakeAsync(scene.Source, Hold.Gate);
            var export = await client.AskAsync("held");
            await Hold.IsMetAsync(scene.Source, "COPY");
            await interrupt();
            await Eventually.TrueAsync(async () => await TriesAsync(scene, export) == 1);
            await gate.ReleaseAsync();
            await client.UntilAsync(export, ExportState.Ready);
            await client.AssertWholeAsync(export, Items);
            await client.EventAsync(export, EventTypes.BulkReady);
            exports.Add(export);
        }

        await using var last = await Hold.TakeAsync(scene.Source, Hold.Gate);
        var lost = await client.AskAsync("held");
        await Hold.IsMetAsync(scene.Source, "COPY");
        wire.Cut();
        await AssertFailedAsync(scene, client, lost, "source_unavailable", transient: true);
        await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3), [.. exports]);

        Task EndAsync(string how) => Scene.SqlAsync(
            scene.Source, $"SELECT {how}(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%' "
                + "AND wait_event_type = 'Lock'");
    }

    private static async Task AssertFailedAsync(Scene scene, Client client, Export export, string code, bool transient)
    {
        var failed = await client.UntilAsync(export, ExportState.Failed);
        Assert.Equal((code, transient), (failed.Failure!.Code, failed.Failure.Transient));
        var published = await client.EventAsync(export, EventTypes.BulkFailed);
        Assert.Equal(code, published.Data.GetProperty("failure").GetProperty("code").GetString());
        Assert.Single(await client.EventsOfAsync(export));
        using var claim = await client.Http.GetAsync($"/v1/batches/{export.BatchId}/manifest");
        Assert.Equal(HttpStatusCode.Gone, claim.StatusCode);
        Assert.Equal(
            "export_failed",
            JsonDocument.Parse(await claim.Content.ReadAsStringAsync()).RootElement.GetProperty("code").GetString());
        if (!transient)
            Assert.Equal(0, await TriesAsync(scene, export));
    }

    private static Task<int> TriesAsync(Scene scene, Export export) =>
        Scene.ScalarAsync<int>(scene.Catalog, $"SELECT tries FROM exports WHERE id = '{export.ExportId.Value}'");
}
