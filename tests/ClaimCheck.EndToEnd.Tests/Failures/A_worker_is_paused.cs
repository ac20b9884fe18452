using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>
/// A worker stands still for longer than its lease, as in a long pause of a virtual machine, while its connections stay open.
/// Another one takes its work over; when the first continues it changes nothing.
/// </summary>
public sealed class A_worker_is_paused
{
    private const int Items = 30_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Amid_an_upload_it_finds_its_lease_lost_and_changes_nothing(bool onS3)
    {
        await using var scene = await Scene.CreateAsync(Items, onS3);
        scene.AddDataset("held", Hold.Gated(25_000));
        scene.Settings["ClaimCheck__Exporting__Lease"] = "00:00:03";
        await using var gate = await Hold.TakeAsync(scene.Source, Hold.Gate);
        var paused = await scene.StartServiceAsync();
        using var asking = new Client(paused);
        var export = await asking.AskAsync("held");
        await Staged.MidwayAsync(scene);
        var other = await scene.StartServiceAsync();

        paused.Pause();
        await gate.ReleaseAsync();

        await AssertNothingChangesAsync(scene, paused, other, export);
    }

    [Fact]
    public async Task Before_its_commit_it_keeps_nobody_from_going_on_and_changes_nothing()
    {
        await using var scene = await Scene.CreateAsync(Items);
        scene.Settings["ClaimCheck__Exporting__Lease"] = "00:00:03";
        var paused = await scene.StartServiceAsync();
        await using var commit = await Hold.TakeAsync(scene.Catalog, Hold.Commit);
        using var asking = new Client(paused);
        var export = await asking.AskAsync("items");
        await Hold.IsMetAsync(scene.Catalog, "INSERT INTO batch_files");

        paused.Pause(); // its transaction, which holds the export's row, stays open
        await commit.ReleaseAsync();
        var other = await scene.StartServiceAsync();

        await AssertNothingChangesAsync(scene, paused, other, export);
    }

    private static async Task AssertNothingChangesAsync(Scene scene, ServiceProcess paused, ServiceProcess other, Export export)
    {
        using var client = new Client(other);
        await client.UntilAsync(export, ExportState.Ready);
        await client.EventAsync(export, EventTypes.BulkReady);
        await client.AssertWholeAsync(export, Items);
        await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3), export);
        var before = await AllAsync(scene);

        paused.Resume();
        await Eventually.TrueAsync(
            () => Task.FromResult(paused.Log.Contains("This worker has lost the lease", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(60),
            "it finds its lease lost");

        Assert.Equal(before, await AllAsync(scene));
        await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3), export);
        await client.AssertWholeAsync(export, Items);
        Assert.Single(await client.FeedAsync());

        // And it is of use again.
        using var resumed = new Client(paused);
        await other.StopAsync();
        var another = await resumed.AskAsync("items");
        await resumed.UntilAsync(another, ExportState.Ready);
        await resumed.EventAsync(another, EventTypes.BulkReady);
    }

    // Everything that a worker could change.
    private static Task<string?> AllAsync(Scene scene) => Scene.ScalarAsync<string>(
        scene.Catalog,
        """
        SELECT concat((SELECT json_agg(e ORDER BY id) FROM exports e),
                      (SELECT json_agg(f ORDER BY batch_id, ordinal) FROM batch_files f),
                      (SELECT json_agg(o ORDER BY event_id) FROM outbox o),
                      (SELECT json_agg(u ORDER BY object_key, upload_id) FROM multipart_uploads u))
        """);
}
