using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>Several processes do the same thing at the same moment: it is done once.</summary>
public sealed class Processes_at_once
{
    [Fact]
    public async Task Three_start_over_nothing_and_migrate_relay_expire_and_sweep_once()
    {
        await using var scene = await Scene.CreateAsync(1);
        var sample = $"sample_{Guid.NewGuid():N}";
        scene.Settings.Remove("ClaimCheck__Datasets");
        scene.Settings["ClaimCheck__Sample__Database"] = sample;
        scene.Settings["ClaimCheck__Sample__Orders"] = "3000";
        scene.Settings["ClaimCheck__Exporting__Lease"] = "00:01:00"; // none is lost by a busy machine: each is taken once

        var services = await Task.WhenAll(scene.StartServiceAsync(), scene.StartServiceAsync(), scene.StartServiceAsync());

        var migrations = await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM schema_versions");
        Assert.Equal(migrations, await Scene.ScalarAsync<int>(scene.Catalog, "SELECT max(version) FROM schema_versions"));
        var clients = services.Select(service => new Client(service)).ToList();
        try
        {
            var exports = await Task.WhenAll(Enumerable.Range(0, 12).Select(at => clients[at % 3].AskAsync("orders")));
            foreach (var export in exports)
            {
                var ready = await clients[0].UntilAsync(export, ExportState.Ready);
                Assert.Equal(3000, ready.Progress.Records);
                await clients[1].EventAsync(export, EventTypes.BulkReady);
            }

            Assert.Equal(12, (await clients[2].FeedAsync()).Count);
            Assert.Equal(12, await Scene.ScalarAsync<int>(scene.Catalog, "SELECT sum(leases)::int FROM exports"));
            Assert.Equal(12, await Scene.ScalarAsync<long>(
                scene.Catalog, "SELECT head FROM event_feed WHERE head = (SELECT count(position) FROM outbox)"));

            await Scene.SqlAsync(scene.Catalog, "UPDATE exports SET expires_at = now()");
            await Eventually.TrueAsync(
                async () => await Scene.ScalarAsync<long>(
                    scene.Catalog, "SELECT count(*) FROM batch_deletions WHERE verified_at IS NOT NULL") == 12,
                Client.Patience);
            Assert.Equal(
                12, await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM exports WHERE state = 'expired'"));
            await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3));
            Assert.All(services, service => Assert.DoesNotContain("fail:", service.Log, StringComparison.Ordinal));
        }
        finally
        {
            foreach (var client in clients)
                client.Dispose();
            await Task.WhenAll(services.Select(service => service.StopAsync()));
            await Scene.SqlAsync(scene.Source, $"DROP DATABASE {sample} WITH (FORCE)");
        }
    }
}
