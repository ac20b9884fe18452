using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>A worker with values that it can't parse, or that are huge: it fails the export, or gives it back,
/// and continues.</summary>
public sealed class Values_that_are_odd_or_vast
{
    private const int Items = 1000;

    // Of each record the worker has seconds to do.
    private const string Vast = "SELECT i AS id, array_fill(1, ARRAY[20000000]) AS many FROM generate_series(1, 50) i";

    [Fact]
    public async Task The_worker_fails_the_one_and_lets_go_of_the_other_when_it_is_told_to()
    {
        await using var scene = await Scene.CreateAsync(Items);
        scene.AddDataset(
            "odd", @"SELECT id, '\x00ff'::bytea AS raw, set_config('bytea_output', 'escape', true) AS how FROM items");
        scene.AddDataset("doubles", "SELECT nullif(id, 900) % 899 AS id, name FROM items WHERE id <> 900 ORDER BY name");
        scene.AddDataset("trusted", "SELECT coalesce(nullif(id, 900), 1) AS id, name FROM items ORDER BY name",
            """, "keyUnique": "trusted" """);
        scene.AddDataset("vast", Vast);
        var service = await scene.StartServiceAsync(("ClaimCheck__Exporting__Parallelism", "1"));
        using var client = new Client(service);

        var odd = await client.UntilAsync(await client.AskAsync("odd"), ExportState.Failed);
        Assert.Contains(odd.Failure!.Code, (string[])["value_not_understood", "source_settings_changed"]);
        var doubles = await client.UntilAsync(await client.AskAsync("doubles"), ExportState.Failed);
        Assert.Equal("key_not_unique", doubles.Failure!.Code);
        await client.UntilAsync(await client.AskAsync("trusted"), ExportState.Ready);

        var first = await client.AskAsync("vast");
        await client.UntilAsync(first, ExportState.Running);
        using (await client.Http.DeleteAsync($"/v1/exports/{first.ExportId}"))
            await client.UntilAsync(first, ExportState.Cancelled);
        // The one that there is has to be free for it.
        await client.UntilAsync(await client.AskAsync("items"), ExportState.Ready);

        var second = await client.AskAsync("vast");
        await client.UntilAsync(second, ExportState.Running);
        Assert.Equal(0, await service.StopAsync());
        Assert.Equal("pending", await Scene.ScalarAsync<string>(
            scene.Catalog, $"SELECT state FROM exports WHERE id = '{second.ExportId.Value}'"));
        var keys = Path.Combine(scene.DataDirectory, "tmp");
        Assert.True(!Directory.Exists(keys) || Directory.GetFileSystemEntries(keys).Length == 0);
    }
}
