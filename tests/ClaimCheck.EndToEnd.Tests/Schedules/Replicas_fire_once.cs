using System.Net;
using System.Text;
using ClaimCheck.EndToEnd.Tests.Failures;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Schedules;

/// <summary>Several processes watch one schedule, and die over it: each fire time has one run, and each run one export.</summary>
public sealed class Replicas_fire_once
{
    [Fact]
    public async Task Every_second_fires_once_while_replicas_are_killed_and_started()
    {
        await using var scene = await Scene.CreateAsync(items: 10);
        scene.Settings["ClaimCheck__Exporting__Lease"] = "00:00:03";
        var watching = await scene.StartServiceAsync();
        var dying = await Task.WhenAll(scene.StartServiceAsync(), scene.StartServiceAsync());
        using var http = watching.NewHttp();
        await PutAsync(
            http, """{ "cron": "* * * * * ?", "overlap": "queue", "catchUp": "all", "export": { "dataset": "items" } }""");
        for (var i = 0; i < 4; i++)
        {
            var before = await RunsAsync(scene);
            await Eventually.TrueAsync(async () => await RunsAsync(scene) >= before + 2);
            await dying[i % 2].KillAsync();
            dying[i % 2] = await scene.StartServiceAsync();
        }

        await PutAsync(http, """{ "cron": "* * * * * ?", "paused": true, "export": { "dataset": "items" } }""");
        await AssertOnceAsync(scene);
        Assert.All(dying.Append(watching), service => Assert.DoesNotContain("fail:", service.Log, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_all_replicas_were_away_for_is_made_up_for_once_when_they_come_back_together()
    {
        await using var scene = await Scene.CreateAsync(items: 10);
        scene.Settings["ClaimCheck__Schedules__Grace"] = "00:00:01";
        scene.Settings["ClaimCheck__Exporting__Lease"] = "00:00:03";
        var first = await scene.StartServiceAsync();
        using (var http = first.NewHttp())
            await PutAsync(
                http, """{ "cron": "0/2 * * * * ?", "overlap": "queue", "catchUp": "all", "export": { "dataset": "items" } }""");
        await Eventually.TrueAsync(async () => await RunsAsync(scene) >= 1);
        await first.KillAsync();
        await Eventually.TrueAsync(async () =>
            await Scene.ScalarAsync<bool>(scene.Catalog, "SELECT now() > next_fire_at + interval '6 seconds' FROM schedules"));

        var back = await Task.WhenAll(scene.StartServiceAsync(), scene.StartServiceAsync(), scene.StartServiceAsync());

        await Eventually.TrueAsync(
            async () => await Scene.ScalarAsync<bool>(scene.Catalog, "SELECT next_fire_at > now() FROM schedules"));
        using (var http = back[0].NewHttp())
            await PutAsync(http, """{ "cron": "0/2 * * * * ?", "paused": true, "export": { "dataset": "items" } }""");
        await AssertOnceAsync(scene, step: 2);
    }

    [Fact]
    public async Task Killed_between_the_run_and_its_export_the_run_is_started_by_another()
    {
        await using var scene = await Scene.CreateAsync(items: 10);
        var first = await scene.StartServiceAsync();
        // What a run and its export are written with waits here, in its transaction.
        await Scene.SqlAsync(
            scene.Catalog,
            """
            CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$;
            CREATE TRIGGER hold BEFORE UPDATE ON schedule_runs FOR EACH ROW EXECUTE FUNCTION hold();
            """);
        await using var holder = new Npgsql.NpgsqlConnection(scene.Catalog);
        await holder.OpenAsync();
        await using (var take = new Npgsql.NpgsqlCommand("SELECT pg_advisory_lock(4711)", holder))
            await take.ExecuteNonQueryAsync();
        using (var http = first.NewHttp())
        {
            await PutAsync(http, """{ "cron": "0 0 0 1 1 ?", "export": { "dataset": "items" } }""");
            await Scene.SqlAsync(
                scene.Catalog, "UPDATE schedules SET next_fire_at = date_trunc('second', now()), try_at = now()");
        }

        await Eventually.TrueAsync(async () => await Scene.ScalarAsync<long>(
            scene.Catalog, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") > 0);
        var second = await scene.StartServiceAsync();
        await first.KillAsync();
        await using (var give = new Npgsql.NpgsqlCommand("SELECT pg_advisory_unlock(4711)", holder))
            await give.ExecuteNonQueryAsync();

        await Eventually.TrueAsync(async () =>
            await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM schedule_runs WHERE state = 'started'") == 1);
        await Eventually.TrueAsync(
            async () => await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM exports WHERE state = 'ready'") == 1);
        Assert.Equal(1, await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM exports"));
        Assert.Equal(1, await RunsAsync(scene));
        Assert.False(second.HasExited);
    }

    private static async Task PutAsync(HttpClient http, string json)
    {
        using var answer = await http.PutAsync("/v1/schedules/often", new StringContent(json, Encoding.UTF8, "application/json"));
        Assert.True(answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
    }

    private static Task<long> RunsAsync(Scene scene) =>
        Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM schedule_runs");

    private static async Task AssertOnceAsync(Scene scene, int step = 1)
    {
        // Paused, so that no more come. Those that were queued are skipped by that; all others have an export of their own.
        await Eventually.TrueAsync(
            async () => await Scene.ScalarAsync<long>(
                scene.Catalog, "SELECT count(*) FROM exports WHERE state IN ('pending', 'running')") == 0,
            Client.Patience);
        var (runs, seconds) = (
            await RunsAsync(scene),
            await Scene.ScalarAsync<double>(
                scene.Catalog, "SELECT extract(epoch FROM max(fire_time) - min(fire_time))::float8 FROM schedule_runs"));
        Assert.Equal((seconds / step) + 1, runs); // none twice, none left out
        Assert.Equal(0, await Scene.ScalarAsync<long>(
            scene.Catalog, "SELECT count(*) FROM schedule_runs WHERE state NOT IN ('started', 'skipped')"));
        Assert.Equal(0, await Scene.ScalarAsync<long>(
            scene.Catalog,
            "SELECT count(*) FROM schedule_runs WHERE state = 'skipped' AND code NOT IN ('paused', 'queue_full')"));
        Assert.Equal(
            await Scene.ScalarAsync<long>(
                scene.Catalog, "SELECT count(DISTINCT export_id) FROM schedule_runs WHERE state = 'started'"),
            await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM exports WHERE state = 'ready'"));
    }
}
