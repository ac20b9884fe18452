using ClaimCheck.Adapter.Locations;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Steps;

/// <summary>SIGKILL at any moment loses and repeats nothing.</summary>
public sealed class An_adapter_that_dies
{
    [Fact]
    public async Task Between_a_request_and_its_answer_asks_for_the_same_export_again()
    {
        await using var scene = await AdapterScene.CreateAsync();
        await using var front = await Front.StartAsync(scene.Service.Address);
        scene.Settings["Service"] = front.Address.ToString();
        scene.AddRoute("crm", "ar-4", notifies: true);
        await scene.StartAsync();

        var answered = front.HoldNextAnswer();
        var asking = scene.AskAsync(new { }, "order-1");
        await answered.WaitAsync(TimeSpan.FromMinutes(2));
        await scene.KillAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => asking);
        await scene.StartAsync();

        // Whether or not the caller asks again.
        await Eventually.TrueAsync(async () => (await scene.ExportsAsync()) is [var one] && (string)one["state"]! == "delivered");
        var id = (string)(await scene.AskAsync(new { }, "order-1"))["id"]!;
        await scene.HearsAsync(id, "export.delivered");
        Assert.Single(await scene.AtServiceAsync());
        Assert.Single(front.Asked.Distinct());
    }

    [Fact]
    public async Task While_it_pushes_goes_on_where_it_was()
    {
        await using var scene = await AdapterScene.CreateAsync(items: 300_000);
        var route = scene.AddRoute("crm", "ar-4", notifies: true);
        route["Compression"] = "none";
        await scene.StartAsync();
        var id = (string)(await scene.AskAsync(new { }))["id"]!;
        await Eventually.TrueAsync(
            () => Task.FromResult(Directory.EnumerateFiles(scene.Shared, ".claimcheck", SearchOption.AllDirectories).Any()));
        await scene.KillAsync();
        // As if it had been killed over a rename too; on a busy machine it may have been done before it was killed.
        var begun = Path.GetDirectoryName(
            Directory.EnumerateFiles(scene.Shared, ".claimcheck", SearchOption.AllDirectories).Single())!;
        if (!File.Exists(Path.Combine(begun, "_SUCCESS")))
            await File.WriteAllTextAsync(Path.Combine(begun, LocationPath.Temporary("_SUCCESS")), "{");
        await scene.StartAsync();

        var delivered = await scene.BecomesAsync(id, "delivered");
        Assert.Empty(Directory.EnumerateFiles(scene.Shared, "*.partial", SearchOption.AllDirectories));
        Assert.Equal(300_000, scene.Records((string)delivered["folder"]!));
        Assert.Single((await scene.HearsAsync(id, "export.delivered")).Data["folder"]!.ToString().Split('\n'));
        Assert.Single(await scene.AtServiceAsync());
        Assert.Equal(0, await scene.Adapter.StopAsync());
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(scene.State, "work"), "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("ar-1")]
    [InlineData("ar-2")]
    public async Task Again_and_again_at_any_moment_delivers_each_export_once(string pattern)
    {
        await using var scene = await AdapterScene.CreateAsync(items: 2000);
        var route = scene.AddRoute("each-second", pattern, notifies: true);
        (route["Cron"], route["TimeZone"]) = ("* * * * * ?", "UTC");
        if (pattern == "ar-2")
            (route["Events"], route["Accept"]) = ("feed", "any");
        scene.Settings["Polling"]!["StatusInterval"] = "00:00:05";
        var random = new Random(4711);
        for (var life = 0; life < 6; life++)
        {
            await scene.StartAsync();
            // The moment of death is the point.
            await Task.Delay(random.Next(100, 1800));
            await scene.KillAsync();
        }

        route["Cron"] = "0 0 3 1 1 ?";
        await scene.StartAsync();
        await Eventually.TrueAsync(async () => (await scene.ExportsAsync()).All(each => (string)each["state"]! == "delivered"));
        var exports = await scene.ExportsAsync();
        Assert.NotEmpty(exports);
        Assert.Equal(exports.Count, exports.DistinctBy(each => (string)each["origin"]!).Count());
        Assert.Equal(
            (await scene.AtServiceAsync()).Select(each => each.ExportId.ToString()).Order(StringComparer.Ordinal),
            exports.Select(each => (string)each["exportId"]!).Order(StringComparer.Ordinal));
        foreach (var export in exports)
        {
            Assert.Equal(2000, scene.Records((string)export["folder"]!));
            var notice = await scene.HearsAsync((string)export["id"]!, "export.delivered");
            Assert.Equal($"{export["id"]}.delivered", notice.Id);
        }

        Assert.Equal(exports.Count, Directory.EnumerateFiles(scene.Shared, "_SUCCESS", SearchOption.AllDirectories).Count());
    }

    [Fact]
    public async Task Hears_of_a_revocation_that_came_while_it_was_dead()
    {
        await using var scene = await AdapterScene.CreateAsync();
        scene.AddRoute("crm", "ar-3", notifies: true)["Events"] = "feed";
        await scene.StartAsync();
        var id = (string)(await scene.AskAsync(new { }))["id"]!;
        var delivered = await scene.BecomesAsync(id, "delivered");
        await scene.KillAsync();
        Assert.True(BatchId.TryParse((string)delivered["batchId"]!, out var batch));
        await scene.Client.RevokeAsync(batch);

        await scene.StartAsync();
        await scene.BecomesAsync(id, "revoked");
        Assert.False(scene.HasData((string)delivered["folder"]!));
        await scene.HearsAsync(id, "export.revoked");
    }

    [Fact]
    public async Task Leaves_its_state_to_the_next_and_no_two_hold_it()
    {
        await using var scene = await AdapterScene.CreateAsync(items: 10);
        scene.AddRoute("crm", "ar-4");
        await scene.StartAsync();

        var (code, output) = await scene.RunAsync("--urls", "http://127.0.0.1:0");

        Assert.Equal(1, code);
        Assert.Contains("another process holds it", output, StringComparison.Ordinal);

        await scene.Adapter.KillAsync();
        // What was being written goes; what can't be read stops the start by its name, for it may tell of a delivery.
        var documents = Path.Combine(scene.State, "deliveries");
        await File.WriteAllTextAsync(Path.Combine(documents, "dlv_1.json.new"), "{");
        foreach (var damaged in new[] { "", "{", "null", "{\"id\":7}" })
        {
            await File.WriteAllTextAsync(Path.Combine(documents, "dlv_2.json"), damaged);
            (code, output) = await scene.RunAsync("--urls", "http://127.0.0.1:0");
            Assert.Equal(1, code);
            Assert.Contains("dlv_2.json can't be read", output, StringComparison.Ordinal);
        }

        Assert.Equal(["dlv_2.json"], Directory.EnumerateFiles(documents).Select(Path.GetFileName));
    }
}
