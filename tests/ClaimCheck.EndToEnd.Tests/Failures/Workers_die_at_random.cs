using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>However many workers die, and whenever: each export ends once.</summary>
public sealed class Workers_die_at_random
{
    private const int Items = 800; // about a second of the slow dataset
    private const int Exports = 20;
    private const int Kills = 4;

    [Fact]
    public async Task Each_export_ends_ready_once_with_all_its_records()
    {
        await using var scene = await Scene.CreateAsync(Items);
        scene.Settings["ClaimCheck__Exporting__Lease"] = "00:00:03";
        var api = await scene.StartServiceAsync(("ClaimCheck__Roles", "api"));
        using var client = new Client(api);
        var workers = (await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => WorkerAsync()))).ToList();
        var exports = await Task.WhenAll(Enumerable.Range(0, Exports).Select(_ => client.AskAsync("slow")));

        // The moment is as random as it gets: whenever a new worker has come up and something runs.
        for (var kill = 0; kill < Kills; kill++)
        {
            await Eventually.TrueAsync(async () => await Scene.ScalarAsync<long>(
                scene.Catalog, "SELECT count(*) FROM exports WHERE state IN ('running', 'ready')") > kill, Client.Patience);
            var victim = Random.Shared.Next(workers.Count);
            await workers[victim].KillAsync();
            workers[victim] = await WorkerAsync();
        }

        foreach (var export in exports)
        {
            await client.UntilAsync(export, ExportState.Ready);
            await client.EventAsync(export, EventTypes.BulkReady);
            await client.AssertWholeAsync(export, Items);
        }

        Assert.Equal(Exports, (await client.FeedAsync()).Count);
        Assert.Equal(Exports, await Scene.ScalarAsync<long>(
            scene.Catalog, "SELECT count(*) FROM exports WHERE state = 'ready' AND tries = 0"));
        Assert.Equal(Exports, await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM outbox"));
        await Staged.OnlyAsync(scene, Client.Patience, exports);

        Task<ServiceProcess> WorkerAsync() => scene.StartServiceAsync(("ClaimCheck__Roles", "worker"));
    }
}
