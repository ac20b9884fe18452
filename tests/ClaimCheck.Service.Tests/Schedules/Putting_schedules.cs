using ClaimCheck.Service.Tests.Api;

namespace ClaimCheck.Service.Tests.Schedules;

[Collection(ScheduleTests.Name)]
public sealed class Putting_schedules(ScheduleService service)
{
    private const string Nightly = """{ "cron": "0 0 2 * * ?", "timeZone": "Europe/Berlin", "export": { "dataset": "items" } }""";

    [Fact]
    public async Task A_schedule_is_created_shown_replaced_and_deleted()
    {
        var name = Name();
        var created = await service.PutAsync(name, Nightly);
        Assert.Equal((201, $"/v1/schedules/{name}"), (created.Status, created.Header("Location")));
        Assert.Equal(
            ["name", "cron", "timeZone", "export", "catchUp", "overlap", "paused", "endsAt", "nextFireTimes", "createdAt",
                "updatedAt", "links"],
            created.Json.Names());
        Assert.Equal(
            ("one", "skip", "Europe/Berlin"),
            (created.Json.Text("catchUp"), created.Json.Text("overlap"), created.Json.Text("timeZone")));
        var times = created.Json.GetProperty("nextFireTimes").EnumerateArray().Select(time => time.GetDateTimeOffset()).ToList();
        Assert.Equal(10, times.Count);
        Assert.All(times, time =>
            Assert.InRange(TimeZoneInfo.ConvertTime(time, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")).Hour, 2, 3));

        var shown = await service.Http.GetAsync($"/v1/schedules/{name}");
        Assert.Equal((200, created.Text, created.Header("ETag")), (shown.Status, shown.Text, shown.Header("ETag")));
        Assert.Equal("no-store", shown.Header("Cache-Control"));

        var replaced = await service.PutAsync(name, Nightly.Replace("0 0 2", "0 30 3", StringComparison.Ordinal));
        Assert.Equal((200, "0 30 3 * * ?"), (replaced.Status, replaced.Json.Text("cron")));
        Assert.NotEqual(created.Header("ETag"), replaced.Header("ETag"));
        Assert.Equal(created.Json.Text("createdAt"), replaced.Json.Text("createdAt"));

        Assert.Equal(204, (await service.Http.SendAsync("DELETE", $"/v1/schedules/{name}")).Status);
        (await service.Http.GetAsync($"/v1/schedules/{name}")).IsProblem(404, "not_found");
        (await service.Http.SendAsync("DELETE", $"/v1/schedules/{name}")).IsProblem(404, "not_found");
        (await service.Http.GetAsync($"/v1/schedules/{name}/runs")).IsProblem(404, "not_found");
        (await service.Http.PostAsync($"/v1/schedules/{name}/run", "{}")).IsProblem(404, "not_found");
    }

    [Fact]
    public async Task Preconditions_keep_two_from_overwriting_each_other()
    {
        var name = Name();
        (await service.PutAsync(name, Nightly, ("If-Match", "*"))).IsProblem(412, "precondition_failed");
        var first = await service.PutAsync(name, Nightly, ("If-None-Match", "*"));
        Assert.Equal(201, first.Status);
        (await service.PutAsync(name, Nightly, ("If-None-Match", "*"))).IsProblem(412, "precondition_failed");
        var second = await service.PutAsync(name, Nightly, ("If-Match", first.Header("ETag")!));
        Assert.Equal(200, second.Status);
        (await service.PutAsync(name, Nightly, ("If-Match", first.Header("ETag")!))).IsProblem(412, "precondition_failed");
        (await service.PutAsync(name, Nightly, ("If-Match", "W/" + second.Header("ETag")!)))
            .IsProblem(412, "precondition_failed");
        (await service.PutAsync(name, Nightly, ("If-Match", "garbage"))).IsProblem(412, "precondition_failed");
        (await service.Http.SendAsync("DELETE", $"/v1/schedules/{name}", null, ("If-Match", first.Header("ETag")!)))
            .IsProblem(412, "precondition_failed");
        Assert.Equal(204, (await service.Http.SendAsync(
            "DELETE", $"/v1/schedules/{name}", null, ("If-Match", second.Header("ETag")!))).Status);
    }

    [Fact]
    public async Task Of_many_that_create_it_at_once_one_does()
    {
        var name = Name();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => service.PutAsync(name, Nightly)));
        Assert.Equal(7, answers.Count(answer => answer.Status == 200));
        Assert.Single(answers, answer => answer.Status == 201);
    }

    [Fact]
    public async Task Every_field_that_does_not_fit_is_named()
    {
        (await service.PutAsync(Name(), "{}")).IsInvalid("cron", "export");
        (await service.PutAsync(Name(), """
            { "cron": "0 0 2 * *", "timeZone": "Mars/Olympus", "export": 1, "catchUp": "some", "overlap": "both", "paused": "no",
              "endsAt": "tomorrow", "more": 1 }
            """)).IsInvalid("catchUp", "overlap", "paused", "endsAt", "more", "timeZone", "cron", "export");
        (await service.PutAsync(Name(), """{ "cron": "0 0 2 30 2 ?", "export": { "dataset": "items" } }""")).IsInvalid("cron");
        (await service.PutAsync("Not a name", Nightly)).IsInvalid("name");
        (await service.PutAsync(Name(), "{")).IsProblem(400, "malformed_json");
        (await service.PutAsync(Name(), Nightly.Replace("\"cron\"", "\"cron\": \"x\", \"cron\"", StringComparison.Ordinal)))
            .IsProblem(400, "malformed_json");
        (await service.Http.SendAsync("PUT", $"/v1/schedules/{Name()}", new StringContent(Nightly)))
            .IsProblem(415, "unsupported_media_type");
    }

    [Theory]
    [InlineData("""{ "dataset": "none" }""", "export.dataset")]
    [InlineData("""{}""", "export.dataset")]
    [InlineData("""{ "dataset": "items", "format": "xml", "maxFileBytes": 1 }""", "export.format", "export.maxFileBytes")]
    [InlineData("""{ "dataset": "items", "criteria": { "least": "many", "other": 1 } }""", "export.criteria.other",
        "export.criteria.least")]
    [InlineData("""{ "dataset": "timed" }""", "export.criteria.must")]
    [InlineData("""{ "dataset": "timed", "criteria": { "must": { "after": "watermark" } } }""", "export.criteria.must")]
    [InlineData("""{ "dataset": "timed", "criteria": { "must": { "after": "watermark", "initial": "long ago" } } }""",
        "export.criteria.must")]
    [InlineData("""{ "dataset": "timed", "criteria": { "must": { "after": "tomorrow" } } }""", "export.criteria.must")]
    [InlineData(
        """{ "dataset": "timed", "criteria": { "must": { "after": "watermark", "overlap": "-P1D", "initial": "2026-01-01T00:00:00Z" } } }""",
        "export.criteria.must")]
    [InlineData("""{ "dataset": "timed", "criteria": { "must": { "relative": "yesterday" } } }""", "export.criteria.must")]
    [InlineData("""{ "dataset": "timed", "criteria": { "must": { "relative": "-P1D", "anchor": "startOfLunch" } } }""",
        "export.criteria.must")]
    [InlineData("""{ "dataset": "timed", "criteria": { "must": { "relative": "-P1D", "after": "watermark" } } }""",
        "export.criteria.must")]
    [InlineData("""{ "dataset": "timed", "criteria": { "must": { } } }""", "export.criteria.must")]
    [InlineData("""{ "dataset": "timed", "criteria": { "must": "2026-01-01T00:00:00Z", "name": { "relative": "-P1D" } } }""",
        "export.criteria.name")]
    public async Task The_export_is_checked_as_if_it_were_asked_for(string export, params string[] fields) =>
        (await service.PutAsync(Name(), $$"""{ "cron": "0 0 2 * * ?", "export": {{export}} }""")).IsInvalid(fields);

    [Fact]
    public async Task They_are_listed_by_name_in_pages()
    {
        var prefix = "list-" + Guid.NewGuid().ToString("N")[..8];
        foreach (var name in (string[])[prefix + "-c", prefix + "-a", prefix + "-b"])
            Assert.Equal(201, (await service.PutAsync(name, Nightly)).Status);

        var names = new List<string>();
        for (var path = "/v1/schedules?limit=2"; ;)
        {
            var page = await service.Http.GetAsync(path);
            names.AddRange(page.Items().Select(item => item.Text("name")!));
            if (page.NextCursor() is not { } cursor)
                break;
            path = $"/v1/schedules?limit=2&cursor={cursor}";
        }

        Assert.Equal(names.Order(StringComparer.Ordinal), names);
        Assert.Equal([prefix + "-a", prefix + "-b", prefix + "-c"], names.Where(
            name => name.StartsWith(prefix, StringComparison.Ordinal)));
        (await service.Http.GetAsync("/v1/schedules?cursor=x")).IsProblem(400, "invalid_cursor");
        (await service.Http.GetAsync("/v1/schedules?limit=0")).IsProblem(400, "invalid_limit");
    }

    [Fact]
    public async Task While_it_is_paused_or_after_its_end_there_are_no_next_times()
    {
        var paused = await service.PutAsync(
            Name(), """{ "cron": "0 0 2 * * ?", "paused": true, "export": { "dataset": "items" } }""");
        Assert.Equal(0, paused.Json.GetProperty("nextFireTimes").GetArrayLength());
        var ended = await service.PutAsync(
            Name(), """{ "cron": "0 0 2 * * ?", "endsAt": "2020-01-01T00:00:00+01:00", "export": { "dataset": "items" } }""");
        Assert.Equal(
            (0, "2019-12-31T23:00:00Z"), (ended.Json.GetProperty("nextFireTimes").GetArrayLength(), ended.Json.Text("endsAt")));
        var soon = TimeProvider.System.GetUtcNow().AddDays(3.5).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        var ending = await service.PutAsync(
            Name(), $$"""{ "cron": "0 0 2 * * ?", "endsAt": "{{soon}}", "export": { "dataset": "items" } }""");
        Assert.InRange(ending.Json.GetProperty("nextFireTimes").GetArrayLength(), 3, 4);
    }

    private static string Name() => "p-" + Guid.NewGuid().ToString("N")[..12];
}
