using ClaimCheck.Testing;

namespace ClaimCheck.Cli.Tests;

[Collection(ToolScene.Name)]
public sealed class Revoking_and_events(ToolScene scene)
{
    [Fact]
    public async Task A_revocation_ends_with_the_proof()
    {
        var export = await scene.ReadyAsync("items");
        var report = (await scene.RunAsync("revoke", $"{export.BatchId}", "--reason", "mistake", "--json")).Exits(0).Json;
        Assert.Equal("revoked", report["state"]!.GetValue<string>());
        Assert.Equal("mistake", report["reason"]!.GetValue<string>());
        Assert.NotNull(report["verifiedAt"]);
        Assert.Equal(0, report["objects"]!["remaining"]!.GetValue<long>());

        var again = (await scene.RunAsync("revoke", $"{export.BatchId}")).Exits(0);
        Assert.Contains("mistake", again.Output);
        Assert.Matches("part-00001.csv +206 +404", again.Output);
        Assert.Equal(
            "revoked",
            (await scene.RunAsync("status", $"{export.BatchId}", "--json")).Exits(0).Json["state"]!.GetValue<string>());
        (await scene.RunAsync("watch", $"{export.BatchId}")).Exits(5);
        Assert.Equal("batch_revoked", (await scene.RunAsync(
            "download", $"{export.BatchId}", "--json", "--out", scene.NewFolder())).Exits(5).Json["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_revocation_may_be_left_to_itself()
    {
        var export = await scene.ReadyAsync("items");
        var report = (await scene.RunAsync("revoke", $"{export.ExportId}", "--no-wait", "--json")).Exits(0).Json;
        Assert.Equal("revoked", report["state"]!.GetValue<string>());
    }

    [Fact]
    public async Task Events_come_without_links_and_go_on_from_a_cursor()
    {
        var export = await scene.ReadyAsync("items");
        await using var follow = scene.Start("events", "--follow", "--type", "BulkReady", "--json");
        await Eventually.TrueAsync(
            () => Task.FromResult(follow.Output.Contains(export.BatchId.ToString(), StringComparison.Ordinal)));
        follow.Interrupt();
        var followed = (await follow.EndAsync()).Exits(130);
        Assert.DoesNotContain("sig=", followed.Output);
        Assert.All(
            followed.JsonLines, line => Assert.Equal("claimcheck.bulk.ready.v1", line["event"]!["type"]!.GetValue<string>()));
        Assert.Contains("?[redacted]", followed.Output);

        var revealed = (await scene.RunAsync("events", "--json", "--show-links")).Exits(0);
        Assert.Contains("sig=", revealed.Output);
        var cursor = revealed.JsonLines[^1]["cursor"]!.GetValue<string>();
        Assert.Empty((await scene.RunAsync("events", "--after", cursor, "--json")).Exits(0).Output);
        await scene.Client.RevokeAsync(export.BatchId, "mistake");
        await Eventually.TrueAsync(async () =>
            (await scene.RunAsync("events", "--after", cursor, "--type", "BulkRevoked")).Exits(0).Output
                .Contains($"{export.BatchId}", StringComparison.Ordinal));
        Assert.Contains("BulkRevoked", (await scene.RunAsync("events", "--after", cursor)).Exits(0).Output);
        (await scene.RunAsync("events", "--follow", "--url", "http://127.0.0.1:9")).Exits(6);
        (await scene.RunAsync("events", "--type", "Anything")).Exits(2);
        (await scene.RunAsync("events", "--after", "nonsense")).Exits(2);
    }
}
