using System.Net;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>What is committed is published, by any remaining process, with the id that the commit gave it.</summary>
public sealed class The_relay_dies
{
    private const int Items = 2000;

    [Fact]
    public async Task Killed_after_the_commit_and_before_the_publish_BulkReady_still_comes_once()
    {
        await using var scene = await Scene.CreateAsync(Items);
        var first = await scene.StartServiceAsync(("ClaimCheck__Roles", "api"));
        await using var relay = await Hold.TakeAsync(scene.Catalog, Hold.Relay);
        var worker = await scene.StartServiceAsync(("ClaimCheck__Roles", "worker"));
        using var asking = new Client(first);
        var export = await asking.AskAsync("items");
        await asking.UntilAsync(export, ExportState.Ready);
        Assert.Empty(await asking.FeedAsync());
        Assert.DoesNotContain(await Staged.ObjectsAsync(scene), key => key.EndsWith("manifest.json", StringComparison.Ordinal));
        var committed = await EventIdAsync(scene);

        await worker.KillAsync();
        await relay.ReleaseAsync();
        await scene.StartServiceAsync(("ClaimCheck__Roles", "worker"));

        await AssertPublishedOnceAsync(scene, asking, export, committed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_after_the_manifest_and_before_it_is_marked_BulkReady_comes_once_under_the_same_id(bool onS3)
    {
        await using var scene = await Scene.CreateAsync(Items, onS3);
        var first = await scene.StartServiceAsync();
        await using var feed = await Hold.TakeAsync(scene.Catalog, Hold.Feed);
        using var asking = new Client(first);
        var export = await asking.AskAsync("items");
        await Hold.IsMetAsync(scene.Catalog, "UPDATE event_feed");
        Assert.Equal(HttpStatusCode.OK, (await asking.Http.GetAsync(export.Links.Staging!.Reveal())).StatusCode);
        var committed = await EventIdAsync(scene);

        await first.KillAsync();
        await feed.ReleaseAsync();
        var second = await scene.StartServiceAsync();
        using var client = new Client(second);

        await AssertPublishedOnceAsync(scene, client, export, committed);
        await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3), export);
    }

    private static async Task AssertPublishedOnceAsync(Scene scene, Client client, Export export, Guid committed)
    {
        var published = await client.EventAsync(export, EventTypes.BulkReady);
        Assert.Equal(committed, published.Id.Value);
        Assert.Single(await client.FeedAsync());
        Assert.Equal(1, await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM outbox"));
        using var manifest = await client.Http.GetAsync(published.DataRef!.Reveal());
        Assert.Equal(HttpStatusCode.OK, manifest.StatusCode);
        await client.AssertWholeAsync(export, Items);
    }

    private static Task<Guid> EventIdAsync(Scene scene) =>
        Scene.ScalarAsync<Guid>(scene.Catalog, "SELECT event_id FROM outbox WHERE position IS NULL");
}
