using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>A worker is killed in the middle of its work: another one ends it, once, and nothing of the first is left.</summary>
public sealed class A_worker_dies
{
    private const int Items = 30_000;

    [Theory]
    [InlineData(false, null)] // as the service comes
    [InlineData(true, "00:00:03")]
    public async Task Killed_amid_an_upload_its_export_is_leased_again_within_30_seconds_and_ends_ready(bool onS3, string? lease)
    {
        await using var scene = await Scene.CreateAsync(Items, onS3);
        scene.AddDataset("held", Hold.Gated(25_000));
        if (lease is not null)
            scene.Settings["ClaimCheck__Exporting__Lease"] = lease;
        await using var gate = await Hold.TakeAsync(scene.Source, Hold.Gate);
        var first = await scene.StartServiceAsync();
        using var asking = new Client(first);
        var export = await asking.AskAsync("held");
        await Staged.MidwayAsync(scene);
        var attempt = await AttemptAsync(scene, export);
        var second = await scene.StartServiceAsync();
        using var client = new Client(second);

        await first.KillAsync();
        await gate.ReleaseAsync();

        await Eventually.TrueAsync(async () => await AttemptAsync(scene, export) != attempt, TimeSpan.FromSeconds(30));
        await AssertReadyOnceAsync(client, export);
        Assert.Equal(0, (await Scene.ScalarAsync<int>(scene.Catalog, "SELECT tries FROM exports")));
        await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3), export);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_after_the_last_object_and_before_the_commit_it_leaves_one_location(bool onS3)
    {
        await using var scene = await Scene.CreateAsync(Items, onS3);
        scene.Settings["ClaimCheck__Exporting__Lease"] = "00:00:03";
        var first = await scene.StartServiceAsync();
        await using var commit = await Hold.TakeAsync(scene.Catalog, Hold.Commit);
        using var asking = new Client(first);
        var export = await asking.AskAsync("items");
        await Hold.IsMetAsync(scene.Catalog, "INSERT INTO batch_files");
        var attempt = await AttemptAsync(scene, export);
        Assert.True((await Staged.ObjectsAsync(scene)).Count(key => key.Contains(attempt!, StringComparison.Ordinal)) >= 4);
        Assert.Empty(await Staged.UploadsAsync(scene));
        Assert.Equal(ExportState.Running, (await asking.GetAsync(export)).State);
        var second = await scene.StartServiceAsync();
        using var client = new Client(second);

        await first.KillAsync();
        await commit.ReleaseAsync();

        await AssertReadyOnceAsync(client, export);
        Assert.NotEqual(attempt, await AttemptAsync(scene, export));
        Assert.Equal(
            0, await Scene.ScalarAsync<long>(scene.Catalog, $"SELECT count(*) FROM batch_files WHERE attempt = '{attempt}'"));
        await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3), export);
    }

    private static async Task AssertReadyOnceAsync(Client client, Export export)
    {
        await client.UntilAsync(export, ExportState.Ready);
        await client.AssertWholeAsync(export, Items);
        await client.EventAsync(export, EventTypes.BulkReady);
        Assert.Single(await client.EventsOfAsync(export));
    }

    private static Task<string?> AttemptAsync(Scene scene, Export export) =>
        Scene.ScalarAsync<string>(scene.Catalog, $"SELECT attempt FROM exports WHERE id = '{export.ExportId.Value}'");
}
