using System.Text.Json;
using ClaimCheck.Service.Schedules;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.Schedules;

[Collection(ScheduleTests.Name)]
public sealed class Runs_of_schedules(ScheduleService service)
{
    [Fact]
    public async Task A_schedule_fires_at_its_time_and_its_run_leads_to_the_export()
    {
        var name = "f-" + Guid.NewGuid().ToString("N")[..12];
        Assert.Equal(201, (await service.PutAsync(
            name, """{ "cron": "0/2 * * * * ?", "export": { "dataset": "items", "format": "ndjson" } }""")).Status);
        await Eventually.TrueAsync(async () => (await service.RunsAsync(name)).Count(run => run.Text("state") == "started") >= 2);
        Assert.Equal(200, (await service.PutAsync(
            name, """{ "cron": "0/2 * * * * ?", "paused": true, "export": { "dataset": "items" } }""")).Status);

        var runs = await service.RunsAsync(name);
        Assert.Equal(runs.Length, runs.Select(run => run.Text("fireTime")).Distinct().Count());
        Assert.All(runs, run => Assert.Equal(0, run.GetProperty("fireTime").GetDateTimeOffset().Second % 2));
        // on a slow machine some find the run before still under way
        runs = [.. runs.Where(run => run.Text("state") == "started")];
        Assert.All(runs, run =>
            Assert.True(run.GetProperty("startedAt").GetDateTimeOffset() >= run.GetProperty("fireTime").GetDateTimeOffset()));
        var export = (await service.Http.GetAsync(new Uri(runs[0].Link("export")).PathAndQuery)).Json;
        Assert.Equal(("items", "ndjson"), (export.Text("dataset"), export.Text("format")));
        var self = await service.Http.GetAsync(new Uri(runs[0].Link("self")).PathAndQuery);
        Assert.Equal(
            (200, runs[0].Text("runId"), false),
            (self.Status, self.Json.Text("runId"), self.Json.GetProperty("manual").GetBoolean()));

        // Paused it stands still; times that pass are not missed.
        var count = (await service.RunsAsync(name)).Length;
        await service.RunAsync(await service.NewAsync("""{ "dataset": "items" }""")); // a while
        Assert.Equal(count, (await service.RunsAsync(name)).Length);
    }

    [Fact]
    public async Task A_time_that_comes_just_after_it_was_looked_for_is_not_slept_over()
    {
        await using var idle = await Scene.CreateAsync();
        using var asking = new ApiClient((await idle.StartServiceAsync(("ClaimCheck__Roles", "api"))).NewHttp());
        var put = await asking.SendAsync("PUT", "/v1/schedules/yearly", ApiClient.Json(
            """{ "cron": "0 0 0 1 1 ?", "export": { "dataset": "items" } }"""u8.ToArray()));
        Assert.Equal(201, put.Status);
        await using var catalog = NpgsqlDataSource.Create(idle.Catalog);
        Assert.Equal(TimeSpan.FromSeconds(5), await ScheduleWorker.UntilNextAsync(catalog, CancellationToken.None));

        await Scene.SqlAsync(idle.Catalog, "UPDATE schedules SET next_fire_at = now(), try_at = now()");

        Assert.InRange(
            await ScheduleWorker.UntilNextAsync(catalog, CancellationToken.None), TimeSpan.Zero, TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task A_run_can_be_asked_for_and_repeated_safely()
    {
        var name = await service.NewAsync("""{ "dataset": "items" }""", """, "paused": true""");
        var first = await service.Http.PostAsync($"/v1/schedules/{name}/run", "{}", ("Idempotency-Key", "k1"));
        Assert.Equal(202, first.Status);
        Assert.Equal(("started", true), (first.Json.Text("state"), first.Json.GetProperty("manual").GetBoolean()));
        Assert.Equal(first.Json.Link("self"), new Uri(service.Http.Address, first.Header("Location")!).ToString());
        var again = await service.Http.PostAsync($"/v1/schedules/{name}/run", "{}", ("Idempotency-Key", "k1"));
        Assert.Equal((202, first.Json.Text("exportId")), (again.Status, again.Json.Text("exportId")));
        await service.SettledAsync(name);
        Assert.NotEqual(first.Json.Text("exportId"), (await service.RunAsync(name)).Text("exportId"));
        Assert.Equal(2, (await service.RunsAsync(name)).Length);
        (await service.Http.PostAsync($"/v1/schedules/{name}/run", "{}", ("Idempotency-Key", "")))
            .IsProblem(400, "invalid_idempotency_key");
    }

    [Fact]
    public async Task While_a_run_s_export_is_not_settled_no_other_begins()
    {
        var name = await service.NewAsync("""{ "dataset": "endless" }""");
        var first = await service.Http.PostAsync($"/v1/schedules/{name}/run", "{}");
        Assert.Equal("started", first.Json.Text("state"));
        (await service.Http.PostAsync($"/v1/schedules/{name}/run", "{}")).IsProblem(409, "run_in_progress");
        await service.MissAsync(name, 1);
        await Eventually.TrueAsync(async () =>
            (await service.RunsAsync(name)).Any(run => run.Text("code") == "previous_running" && run.Text("state") == "skipped"));
        await service.Http.SendAsync("DELETE", $"/v1/exports/{first.Json.Text("exportId")}");
        await Eventually.TrueAsync(async () => (await service.Http.PostAsync($"/v1/schedules/{name}/run", "{}")).Status == 202);
        await EndAsync(name);
    }

    [Fact]
    public async Task Runs_that_wait_begin_one_after_another_as_the_ones_before_them_are_settled()
    {
        var name = await service.NewAsync("""{ "dataset": "endless" }""", """, "overlap": "queue" """);
        var runs = new List<JsonElement>();
        for (var i = 0; i < 3; i++)
            runs.Add((await service.Http.PostAsync($"/v1/schedules/{name}/run", "{}")).Json);
        Assert.Equal(["started", "queued", "queued"], runs.Select(run => run.Text("state")));
        (await service.Http.PostAsync($"/v1/schedules/{name}/run", "{}")).IsProblem(409, "run_in_progress");

        foreach (var run in runs)
        {
            var started = await Eventually.NotNullAsync(async () =>
                (await service.Http.GetAsync(new Uri(run.Link("self")).PathAndQuery)) is var now
                && now.Json.Text("state") == "started"
                    ? now
                    : null);
            Assert.Single(await service.RunsAsync(name), other => other.Text("exportState") is "pending" or "running");
            await service.Http.SendAsync("DELETE", $"/v1/exports/{started.Json.Text("exportId")}");
        }
    }

    [Theory]
    [InlineData("skip", "skipped:missed:2")]
    [InlineData("one", "started::2")]
    [InlineData("all", "started::0 started::0 started::0")]
    public async Task What_was_missed_is_caught_up_with_as_the_schedule_says(string catchUp, string expected)
    {
        var name = await service.NewAsync("""{ "dataset": "items" }""", $$""", "catchUp": "{{catchUp}}" """);
        await service.MissAsync(name, 3);
        JsonElement[] runs = [];
        await Eventually.TrueAsync(
            async () => string.Join(' ', (runs = await service.RunsAsync(name)).Select(
                run => $"{run.Text("state")}:{run.Text("code")}:{run.GetProperty("missed").GetInt32()}"))
                == expected,
            what: expected);
        Assert.True(runs[0].GetProperty("fireTime").GetDateTimeOffset() < TimeProvider.System.GetUtcNow().AddHours(-22));
    }

    [Fact]
    public async Task The_history_comes_in_pages()
    {
        var name = await service.NewAsync("""{ "dataset": "items" }""", """, "catchUp": "all" """);
        await service.MissAsync(name, 5);
        await Eventually.TrueAsync(async () => (await service.RunsAsync(name)).Length >= 5);
        var all = (await service.RunsAsync(name)).Select(run => run.Text("runId")).ToList();
        var paged = new List<string?>();
        for (var path = $"/v1/schedules/{name}/runs?limit=2"; ;)
        {
            var page = await service.Http.GetAsync(path);
            paged.AddRange(page.Items().Select(run => run.Text("runId")));
            if (page.NextCursor() is not { } cursor)
                break;
            path = $"/v1/schedules/{name}/runs?limit=2&cursor={cursor}";
        }

        Assert.Equal(all, paged);
        (await service.Http.GetAsync($"/v1/schedules/{name}/runs?cursor=bm8")).IsProblem(400, "invalid_cursor");
        (await service.Http.GetAsync($"/v1/schedules/{name}/runs/run_none")).IsProblem(404, "not_found");
    }

    [Fact]
    public async Task Relative_criteria_are_those_of_the_fire_time_also_where_it_is_made_up_for()
    {
        var name = await service.NewAsync(
            """
            { "dataset": "timed", "criteria": { "since": { "relative": "-P1D", "anchor": "startOfDay" }, "day": { "relative": "-P1D" },
              "local": { "relative": "-PT1H", "anchor": "startOfHour" }, "must": { "relative": "PT0S" }, "name": "as it is" } }
            """,
            """, "catchUp": "one" """);
        await service.MissAsync(name, 3);
        var run = await service.SettledAsync(name);
        var fired = run.GetProperty("fireTime").GetDateTimeOffset();
        Assert.Equal("ready", run.Text("exportState"));
        var criteria = run.GetProperty("criteria");
        Assert.Equal(fired.AddDays(-1).ToString("yyyy-MM-dd'T'00:00:00'Z'"), criteria.Text("since"));
        Assert.Equal(fired.AddDays(-1).ToString("yyyy-MM-dd"), criteria.Text("day"));
        Assert.Equal(fired.AddHours(-1).ToString("yyyy-MM-dd'T'HH:00:00"), criteria.Text("local"));
        Assert.Equal(fired.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"), criteria.Text("must"));
        Assert.Equal("as it is", criteria.Text("name"));
        var export = await service.Http.GetAsync($"/v1/exports/{run.Text("exportId")}");
        Assert.Equal(criteria.GetRawText(), export.Json.GetProperty("criteria").GetRawText());
    }

    [Fact]
    public async Task A_run_that_can_t_ask_for_its_export_fails_with_a_code_and_the_schedule_goes_on()
    {
        var gone = await service.NewAsync("""{ "dataset": "items" }""");
        await Scene.SqlAsync(
            service.Scene.Catalog, $$"""UPDATE schedules SET export = '{ "dataset": "gone" }' WHERE name = '{{gone}}'""");
        var changed = await service.NewAsync("""{ "dataset": "items" }""");
        await Scene.SqlAsync(
            service.Scene.Catalog,
            $$"""UPDATE schedules SET export = '{ "dataset": "items", "criteria": { "most": 1 } }' WHERE name = '{{changed}}'""");
        var away = await service.NewAsync("""{ "dataset": "away" }""");
        var bad = await service.NewAsync("""{ "dataset": "bad" }""");
        foreach (var (name, code) in ((string, string)[])[(gone, "dataset_unknown"), (changed, "export_invalid"),
            (away, "source_unavailable"), (bad, "definition_invalid")])
        {
            await service.MissAsync(name, 1);
            await Eventually.TrueAsync(async () => (await service.RunsAsync(name)).Any(run => run.Text("state") == "failed"));
            var run = Assert.Single(await service.RunsAsync(name));
            Assert.Equal((code, null), (run.Text("code"), run.Text("exportId")));
            var next = (await service.Http.GetAsync($"/v1/schedules/{name}")).Json
                .GetProperty("nextFireTimes")[0].GetDateTimeOffset();
            Assert.True(next > TimeProvider.System.GetUtcNow());
        }
    }

    [Fact]
    public async Task A_run_that_waits_for_its_turn_is_skipped_when_the_schedule_is_paused()
    {
        var name = await service.NewAsync("""{ "dataset": "endless" }""", """, "overlap": "queue" """);
        Assert.Equal(202, (await service.Http.PostAsync($"/v1/schedules/{name}/run", "{}")).Status);
        await service.MissAsync(name, 1);
        await Eventually.TrueAsync(async () => (await service.RunsAsync(name)).Any(run => run.Text("state") == "queued"));
        Assert.Equal(200, (await service.PutAsync(
            name, """{ "cron": "0 0 0 1 1 ?", "paused": true, "export": { "dataset": "endless" } }""")).Status);
        Assert.Contains(await service.RunsAsync(name), run => run.Text("code") == "paused");
        await EndAsync(name);
    }

    private async Task EndAsync(string name)
    {
        foreach (var run in (await service.RunsAsync(name)).Where(run => run.Text("exportId") is not null))
            await service.Http.SendAsync("DELETE", $"/v1/exports/{run.Text("exportId")}");
    }
}
