using System.Diagnostics;

namespace ClaimCheck.Service.Tests.Api;

[Collection(ApiTests.Name)]
public sealed class Waiting_for_an_export(ApiService service)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(55);

    [Fact]
    public async Task A_post_that_waits_is_answered_as_soon_as_it_is_ready()
    {
        var watch = Stopwatch.StartNew();
        var answer = await service.Http.PostAsync("/v1/exports", """{ "dataset": "items" }""", ("Prefer", "wait=60"));

        Assert.Equal((200, "ready"), (answer.Status, answer.Json.Text("state")));
        Assert.True(watch.Elapsed < Long, $"{watch.Elapsed}");
        Assert.Equal("wait=60", answer.Header("Preference-Applied"));
        Assert.Null(answer.Header("Retry-After"));
        Assert.DoesNotContain("staging", answer.Json.GetProperty("links").Names());
        Assert.NotNull(answer.Json.Text("expiresAt"));
    }

    [Fact]
    public async Task A_failure_ends_the_wait_too()
    {
        var watch = Stopwatch.StartNew();
        var answer = await service.Http.PostAsync("/v1/exports", """{ "dataset": "broken" }""", ("Prefer", "wait=60"));

        Assert.Equal((200, "failed"), (answer.Status, answer.Json.Text("state")));
        Assert.True(watch.Elapsed < Long, $"{watch.Elapsed}");
        Assert.Equal(["code", "detail", "transient"], answer.Json.GetProperty("failure").Names());
        Assert.Equal("source_query_failed", answer.Json.GetProperty("failure").Text("code"));
        Assert.False(answer.Json.GetProperty("failure").GetProperty("transient").GetBoolean());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, answer.Json.GetProperty("links").GetProperty("cancel").ValueKind);
    }

    [Fact]
    public async Task A_wait_that_is_over_is_202()
    {
        var watch = Stopwatch.StartNew();
        var answer = await service.Idle.PostAsync("/v1/exports", """{ "dataset": "items" }""", ("Prefer", "wait=1"));

        Assert.Equal((202, "pending"), (answer.Status, answer.Json.Text("state")));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.95, 40);
        Assert.Equal("wait=1", answer.Header("Preference-Applied"));
        Assert.NotNull(answer.Header("Retry-After"));
        Assert.NotEqual("", answer.Json.Link("staging"));
    }

    [Fact]
    public async Task A_get_is_a_long_poll_that_a_cancellation_ends()
    {
        var asked = await service.Idle.AskAsync("""{ "dataset": "items" }""");
        var short_ = await service.Idle.GetAsync(asked.Link("self"), ("Prefer", "wait=1"));
        Assert.Equal((200, "pending"), (short_.Status, short_.Json.Text("state")));
        Assert.NotNull(short_.Header("Retry-After"));

        var watch = Stopwatch.StartNew();
        var waiting = service.Idle.GetAsync(asked.Link("self"), ("Prefer", "respond-async, wait=60"));
        await service.Idle.SendAsync("DELETE", asked.Link("cancel"));
        var settled = await waiting;

        Assert.True(watch.Elapsed < Long, $"{watch.Elapsed}");
        Assert.Equal((200, "cancelled"), (settled.Status, settled.Json.Text("state")));
        Assert.Null(settled.Header("Retry-After"));
        Assert.Equal("wait=60", settled.Header("Preference-Applied"));
    }

    [Theory]
    [InlineData("wait=3600", "wait=60")]
    [InlineData("wait=99999999999999999999", "wait=60")]
    [InlineData("Wait=5", "wait=5")]
    [InlineData("wait = \"5\"", "wait=5")]
    [InlineData("wait=5, wait=7", "wait=5")]
    public async Task What_is_honoured_is_echoed(string prefer, string applied)
    {
        var ready = await service.Http.ReadyAsync("""{ "dataset": "items" }""");
        Assert.Equal(applied, (await service.Http.GetAsync(ready.Link("self"), ("Prefer", prefer))).Header("Preference-Applied"));
    }

    [Theory]
    [InlineData("wait=-1")]
    [InlineData("wait=1.5")]
    [InlineData("wait=abc")]
    [InlineData("wait")]
    [InlineData("wait=")]
    [InlineData("respond-async")]
    [InlineData("=,;,==")]
    [InlineData("xwait=5")]
    public async Task A_malformed_preference_is_ignored(string prefer)
    {
        var answer = await service.Idle.PostAsync("/v1/exports", """{ "dataset": "items" }""", ("Prefer", prefer));
        Assert.Equal(202, answer.Status);
        Assert.Null(answer.Header("Preference-Applied"));
    }
}
