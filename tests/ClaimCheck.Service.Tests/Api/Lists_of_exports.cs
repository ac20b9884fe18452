namespace ClaimCheck.Service.Tests.Api;

[Collection(ApiTests.Name)]
public sealed class Lists_of_exports(ApiService service)
{
    [Fact]
    public async Task Pages_miss_nothing_and_repeat_nothing_while_exports_are_made()
    {
        var asked = new List<string>();
        for (var at = 0; at < 23; at++)
            asked.Add((await service.Idle.AskAsync("""{ "dataset": "listed" }""")).Text("exportId")!);

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await service.Idle.GetAsync(
                "/v1/exports?dataset=listed&limit=5" + (cursor is null ? "" : $"&cursor={cursor}"));
            Assert.Equal("no-store", page.Header("Cache-Control"));
            var items = page.Items();
            Assert.InRange(items.Length, 1, 5);
            seen.AddRange(items.Select(item => item.Text("exportId")!));
            cursor = page.NextCursor();
            await service.Idle.AskAsync("""{ "dataset": "listed" }""");
        }
        while (cursor is not null);

        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Equal(asked.ToHashSet(), seen.Where(asked.Contains).ToHashSet());
        // Newest first: ids sort by creation, to the millisecond.
        Assert.Equal(seen.OrderDescending(StringComparer.Ordinal), seen);
    }

    [Fact]
    public async Task Filters_hold()
    {
        var cancelled = await service.Idle.AskAsync("""{ "dataset": "slow" }""");
        var pending = await service.Idle.AskAsync("""{ "dataset": "slow" }""");
        await service.Idle.SendAsync("DELETE", cancelled.Link("cancel"));

        var ended = (await service.Idle.GetAsync("/v1/exports?dataset=slow&state=cancelled")).Items();
        var open = (await service.Idle.GetAsync("/v1/exports?dataset=slow&state=pending")).Items();

        Assert.Equal(cancelled.Text("exportId"), Assert.Single(ended).Text("exportId"));
        Assert.Equal(pending.Text("exportId"), Assert.Single(open).Text("exportId"));
        Assert.All((await service.Idle.GetAsync("/v1/exports?state=cancelled&limit=1000")).Items(), item =>
            Assert.Equal("cancelled", item.Text("state")));
        Assert.Empty((await service.Idle.GetAsync("/v1/exports?dataset=none")).Items());
    }

    [Fact]
    public async Task What_has_expired_is_not_listed_as_ready_before_the_sweep()
    {
        var ready = await service.Http.ReadyAsync("""{ "dataset": "items", "retention": "PT3S" }""");
        await ClaimCheck.Testing.Eventually.TrueAsync(
            async () => (await service.Http.GetAsync(ready.Link("self"))).Json.Text("state") == "expired");

        var listed = (await service.Http.GetAsync("/v1/exports?state=ready&limit=1000")).Items();
        var expired = (await service.Http.GetAsync("/v1/exports?state=expired&limit=1000")).Items();

        Assert.All(listed, item => Assert.Equal("ready", item.Text("state")));
        Assert.Contains(expired, item => item.Text("exportId") == ready.Text("exportId"));
    }

    [Theory]
    [InlineData("limit=1", 200)]
    [InlineData("limit=1000", 200)]
    [InlineData("limit=0", 400)]
    [InlineData("limit=1001", 400)]
    [InlineData("limit=-1", 400)]
    [InlineData("limit=abc", 400)]
    [InlineData("limit=", 400)]
    [InlineData("limit=1.0", 400)]
    [InlineData("limit=1e2", 400)]
    [InlineData("limit=99999999999", 400)]
    [InlineData("limit=1&limit=2", 400)]
    public async Task A_limit_is_1_to_1000(string query, int status)
    {
        var answer = await service.Idle.GetAsync($"/v1/exports?{query}");
        if (status == 200)
            answer.Items();
        else
            answer.IsProblem(400, "invalid_limit");
    }

    [Theory]
    [InlineData("x")]
    [InlineData("")]
    [InlineData("%00")]
    [InlineData("%ff%fe")]
    [InlineData("ZXhwb3J0czo")]
    [InlineData("ZXhwb3J0czpleHBfMDA")]
    [InlineData("ZXZlbnRzOjE")]
    [InlineData("..%2f..%2fetc")]
    public async Task A_foreign_cursor_is_400(string cursor) =>
        (await service.Idle.GetAsync($"/v1/exports?cursor={cursor}")).IsProblem(400, "invalid_cursor");

    [Theory]
    [InlineData("state=done")]
    [InlineData("state=READY")]
    [InlineData("state=")]
    [InlineData("state=ready&state=failed")]
    [InlineData("state=%00")]
    public async Task An_unknown_state_is_400(string query) =>
        (await service.Idle.GetAsync($"/v1/exports?{query}")).IsProblem(400, "invalid_parameter");

    [Fact]
    public async Task A_dataset_with_a_NUL_is_400() =>
        (await service.Idle.GetAsync("/v1/exports?dataset=a%00b")).IsProblem(400, "invalid_parameter");

    [Theory]
    [InlineData("dataset=%ff")]
    [InlineData("dataset=%ed%a0%80")]
    [InlineData("dataset=")]
    [InlineData("dataset='%20OR%201=1")]
    public async Task A_dataset_that_can_t_be_has_no_exports(string query) =>
        Assert.Empty((await service.Idle.GetAsync($"/v1/exports?{query}")).Items());
}
