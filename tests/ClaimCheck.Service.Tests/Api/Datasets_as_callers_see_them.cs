using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

[Collection(ApiTests.Name)]
public sealed class Datasets_as_callers_see_them(ApiService service)
{
    [Fact]
    public async Task A_dataset_has_the_documented_fields()
    {
        var answer = await service.Http.GetAsync("/v1/datasets/typed");

        Assert.Equal(200, answer.Status);
        Assert.Equal("application/json; charset=utf-8", answer.Header("Content-Type"));
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        var typed = answer.Json;
        Assert.Equal(
            ["name", "title", "schemaVersion", "key", "orderedBy", "parameters", "formats", "compressions", "columns",
                "recordSchema", "linkLifetime", "retention", "delivery", "maxRecords", "maxBytes", "available", "unavailable",
                "links"],
            typed.Names());
        Assert.Equal(("typed", "Typed", 3, "id", "id"), (typed.Text("name"), typed.Text("title"),
            typed.GetProperty("schemaVersion").GetInt32(), typed.Text("key"), typed.Text("orderedBy")));
        Assert.Equal(("PT2H", "P2D"), (typed.Text("linkLifetime"), typed.Text("retention")));
        Assert.Equal((2_000, 1L << 40), (typed.GetProperty("maxRecords").GetInt64(), typed.GetProperty("maxBytes").GetInt64()));
        Assert.True(typed.GetProperty("available").GetBoolean());
        Assert.Equal("object", typed.GetProperty("recordSchema").Text("type"));
        Assert.Equal($"{service.Http.Address}v1/datasets/typed", typed.Link("self"));
    }

    [Fact]
    public async Task The_list_is_paged_and_complete()
    {
        var all = (await service.Http.GetAsync("/v1/datasets")).Items().Select(item => item.Text("name")).ToList();
        var paged = new List<string?>();
        string? cursor = null;
        do
        {
            var page = await service.Http.GetAsync("/v1/datasets?limit=3" + (cursor is null ? "" : $"&cursor={cursor}"));
            paged.AddRange(page.Items().Select(item => item.Text("name")));
            cursor = page.NextCursor();
        }
        while (cursor is not null);

        // Other tests may have put more into the folder, which is read again while the service runs.
        Assert.Empty(((string[])["away", "big", "broken", "endless", "items", "listed", "shaky", "slow", "typed"]).Except(all));
        Assert.Equal(all.Order(StringComparer.Ordinal), all);
        Assert.Equal(all, paged);
    }

    [Fact]
    public async Task A_dataset_whose_source_is_away_is_unavailable_and_503()
    {
        Assert.False((await service.Http.GetAsync("/v1/datasets/away")).Json.GetProperty("available").GetBoolean());

        var asked = await service.Http.PostAsync("/v1/exports", """{ "dataset": "away" }""");

        asked.IsProblem(503, "source_unavailable");
        Assert.Empty((await service.Http.GetAsync("/v1/exports?dataset=away")).Items());
    }

    [Theory]
    [InlineData("/v1/datasets/none")]
    [InlineData("/v1/datasets/ITEMS")]
    [InlineData("/v1/datasets/items%2f")]
    [InlineData("/v1/datasets/items.json")]
    public async Task An_unknown_dataset_is_404(string path) => (await service.Http.GetAsync(path)).IsProblem(404, "not_found");

    [Fact]
    public async Task A_cursor_of_another_list_is_refused()
    {
        var foreign = (await service.Http.GetAsync("/v1/datasets?limit=1")).NextCursor();
        (await service.Http.GetAsync($"/v1/exports?cursor={foreign}")).IsProblem(400, "invalid_cursor");
    }

    [Fact]
    public async Task A_repeated_request_is_answered_while_its_source_is_away()
    {
        const string body = """{ "dataset": "shaky" }""";
        var first = await service.Idle.PostAsync("/v1/exports", body, ("Idempotency-Key", "before-it-went"));
        Assert.Equal(202, first.Status);
        await Scene.SqlAsync(service.IdleScene.Catalog, $"DROP DATABASE {service.ShakyDatabase} WITH (FORCE)");
        await Eventually.TrueAsync(
            async () => !(await service.Idle.GetAsync("/v1/datasets/shaky")).Json.GetProperty("available").GetBoolean());

        var repeated = await service.Idle.PostAsync("/v1/exports", body, ("Idempotency-Key", "before-it-went"));
        var anew = await service.Idle.PostAsync("/v1/exports", body, ("Idempotency-Key", "after-it-went"));

        Assert.Equal(202, repeated.Status);
        Assert.Equal(first.Json.Text("exportId"), repeated.Json.Text("exportId"));
        anew.IsProblem(503, "source_unavailable");
    }
}
