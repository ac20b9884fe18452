using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Schedules;

/// <summary>AR-1: exports by cron; the adapter looks for its batches itself.</summary>
public sealed class Routes_by_the_clock
{
    [Theory]
    [InlineData("staging", false)]
    [InlineData("staging", true)]
    [InlineData("status", false)]
    [InlineData("folder", false)]
    public async Task Each_moment_brings_one_export_which_is_delivered(string wait, bool onS3)
    {
        await using var scene = await AdapterScene.CreateAsync(items: 500, onS3);
        if (onS3)
            scene.Settings["AllowedLinkHosts"]!.AsArray().Add(new Uri(scene.Scene.Settings["AWS_ENDPOINT_URL_S3"]).Authority);
        var route = scene.AddRoute("each-second", "ar-1");
        (route["Cron"], route["TimeZone"], route["Wait"]) = ("* * * * * ?", "UTC", wait);
        route["Criteria"] = new JsonObject { ["least"] = 101 };
        if (wait == "folder")
            route["WaitAt"] = new JsonObject { ["Kind"] = "folder", ["Path"] = scene.Scene.Staging };
        await scene.StartAsync();

        await Eventually.TrueAsync(
            async () => (await scene.ExportsAsync()).Count(each => (string)each["state"]! == "delivered") >= 3);

        var first = scene.Adapter;
        Assert.Equal(0, await first.StopAsync());
        if (wait != "status")
            Assert.Contains("saw its manifest", first.Log, StringComparison.Ordinal);
        // A link is a secret, and nowhere but in memory.
        const string Signed = "sig=|Signature=";
        foreach (var file in Directory.EnumerateFiles(scene.State, "*.json", SearchOption.AllDirectories))
            Assert.DoesNotMatch(Signed, await File.ReadAllTextAsync(file));
        Assert.DoesNotMatch(Signed, first.Log);
        // What it knew is what it knows.
        route["Cron"] = "0 0 3 1 1 ?";
        await scene.StartAsync();
        var exports = await scene.ExportsAsync();
        await Eventually.TrueAsync(async () => (await scene.ExportsAsync()).All(each => (string)each["state"]! == "delivered"));
        Assert.Equal(exports.Count, exports.DistinctBy(each => (string)each["origin"]!).Count());
        Assert.Equal(exports.Count, (await scene.AtServiceAsync()).Count);
        foreach (var export in await scene.ExportsAsync())
            Assert.Equal(400, scene.Records((string)export["folder"]!));
    }

    [Fact]
    public async Task A_revocation_is_found_out_and_what_was_pushed_goes()
    {
        await using var scene = await AdapterScene.CreateAsync();
        var route = scene.AddRoute("yearly", "ar-1", notifies: true);
        (route["Cron"], route["TimeZone"]) = ("0 0 3 1 1 ?", "UTC");
        await scene.StartAsync();
        using var asked = await scene.Http.PostAsync("/routes/yearly/runs", null);
        var id = (string)(await asked.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
        var delivered = await scene.BecomesAsync(id, "delivered");
        Assert.Equal(1000, scene.Records((string)delivered["folder"]!));

        Assert.True(BatchId.TryParse((string)delivered["batchId"]!, out var batch));
        await scene.Client.RevokeAsync(batch, "wrong month");

        var revoked = await scene.BecomesAsync(id, "revoked");
        Assert.Equal("wrong month", (string)revoked["reason"]!);
        Assert.False(scene.HasData((string)delivered["folder"]!));
        Assert.Equal($"{id}.revoked", (await scene.HearsAsync(id, "export.revoked")).Id);
    }

    [Fact]
    public async Task The_last_of_the_moments_that_were_missed_counts_once()
    {
        await using var scene = await AdapterScene.CreateAsync(items: 10);
        var route = scene.AddRoute("each-minute", "ar-1");
        (route["Cron"], route["TimeZone"]) = ("0 * * * * ?", "UTC");
        await scene.StartAsync();
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(Path.Combine(scene.State, "routes", "each-minute.json"))));
        await scene.KillAsync();
        // As if it had been away for three days.
        var path = Path.Combine(scene.State, "routes", "each-minute.json");
        var clock = JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        clock["ranUntil"] = TimeProvider.System.GetUtcNow().AddDays(-3).ToString("O");
        await File.WriteAllTextAsync(path, clock.ToJsonString());
        var before = (await scene.AtServiceAsync()).Count;

        await scene.StartAsync();
        await Eventually.TrueAsync(async () => (await scene.AtServiceAsync()).Count > before);
        var exports = await scene.ExportsAsync();
        Assert.InRange(exports.Count, before + 1, before + 2); // a minute may begin meanwhile
        await scene.KillAsync();
        await scene.StartAsync();
        await scene.BecomesAsync((string)exports[0]["id"]!, "delivered");

        Assert.InRange((await scene.ExportsAsync()).Count, before + 1, before + 3);
        Assert.Equal((await scene.AtServiceAsync()).Count, (await scene.ExportsAsync()).Count);
    }
}
