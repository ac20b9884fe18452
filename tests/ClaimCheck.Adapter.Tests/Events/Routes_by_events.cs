using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Events;

/// <summary>AR-2: on schedule or triggered from outside; waits for BulkReady.</summary>
public sealed class Routes_by_events
{
    [Theory]
    [InlineData("feed")]
    [InlineData("sqs")]
    public async Task What_is_asked_from_outside_is_delivered_when_its_event_comes_and_removed_when_it_is_revoked(string events)
    {
        await using var scene = await CreateAsync(events, "own");
        await scene.StartAsync();

        using var asked = await scene.Http.PostAsync("/routes/evented/runs", null);
        var id = (string)(await asked.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
        var delivered = await scene.BecomesAsync(id, "delivered");
        Assert.Equal(1000, scene.Records((string)delivered["folder"]!));

        Assert.True(BatchId.TryParse((string)delivered["batchId"]!, out var batch));
        await scene.Client.RevokeAsync(batch, "wrong month");
        var revoked = await scene.BecomesAsync(id, "revoked");
        Assert.Equal("wrong month", (string)revoked["reason"]!);
        Assert.False(scene.HasData((string)delivered["folder"]!));
    }

    [Theory]
    [InlineData("feed")]
    [InlineData("sqs")]
    public async Task A_batch_that_somebody_else_asked_for_is_taken_once_and_the_clock_s_own_too(string events)
    {
        await using var scene = await CreateAsync(events, "any");
        await scene.StartAsync();

        var export = await scene.Client.CreateExportAsync(new ExportRequest { Dataset = "items" });
        var other = await scene.Client.CreateExportAsync(new ExportRequest { Dataset = "slow" });
        using (await scene.Http.PostAsync("/routes/evented/runs", null))
        {
        }

        await Eventually.TrueAsync(
            async () => (await scene.ExportsAsync()).Count(each => (string)each["state"]! == "delivered") == 2);
        await scene.KillAsync();
        var route = scene.Settings["Routes"]!["evented"]!;
        (route["Cron"], route["TimeZone"]) = ("* * * * * ?", "UTC");
        await scene.StartAsync();
        // What the clock asks for is told of by events too, and is nobody else's.
        await Eventually.TrueAsync(
            async () => (await scene.ExportsAsync()).Any(each => IsFire(each) && (string)each["state"]! == "delivered"));
        var exports = await scene.ExportsAsync();
        Assert.Equal(2, exports.Count(each => !IsFire(each)));
        Assert.Contains(exports, each => (string)each["exportId"]! == export.ExportId.ToString());
        Assert.DoesNotContain(exports, each => (string)each["exportId"]! == other.ExportId.ToString());

        static bool IsFire(JsonNode export) => ((string)export["origin"]!).StartsWith("fire ", StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_fails_is_no_longer_waited_for()
    {
        await using var scene = await CreateAsync("feed", "own");
        scene.Scene.AddDataset("broken", "SELECT id, (1 / (id - 500))::text AS name FROM items ORDER BY id");
        scene.Settings["Routes"]!["evented"]!["Dataset"] = "broken";
        var service = await scene.Scene.StartServiceAsync();
        scene.Settings["Service"] = service.Address.ToString();
        await scene.Service.StopAsync();
        await scene.StartAsync();

        using var asked = await scene.Http.PostAsync("/routes/evented/runs", null);
        var id = (string)(await asked.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
        var failed = await scene.BecomesAsync(id, "failed");
        Assert.Equal("source_query_failed", (string)failed["failure"]!["code"]!);
    }

    private static async Task<AdapterScene> CreateAsync(string events, string accept)
    {
        var scene = events == "sqs" ? await AdapterScene.CreateWithQueueAsync() : await AdapterScene.CreateAsync();
        scene.AddRoute("evented", "ar-2")["Accept"] = accept;
        // Nothing but the event may tell.
        scene.Settings["Polling"]!["StatusInterval"] = "1.00:00:00";
        return scene;
    }
}
