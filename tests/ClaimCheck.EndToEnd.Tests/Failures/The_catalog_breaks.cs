using System.Net;
using System.Net.Http.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>The service's own database goes away and comes back under load.</summary>
public sealed class The_catalog_breaks
{
    private const int Items = 2000;

    [Fact]
    public async Task Nothing_that_was_acknowledged_is_lost()
    {
        await using var scene = await Scene.CreateAsync(Items);
        await using var wire = new Wire(scene.Catalog);
        scene.Settings["ConnectionStrings__Catalog"] = wire.ConnectionString;
        var service = await scene.StartServiceAsync();
        using var client = new Client(service);
        using var over = new CancellationTokenSource();

        var acknowledged = 0;
        var breaking = BreakAsync(wire, () => Volatile.Read(ref acknowledged), over.Token);
        var asked = new List<Export>();
        for (var at = 0; at < 15; at++)
        {
            asked.Add(await AskPatientlyAsync(client, $"export-{at}"));
            Interlocked.Increment(ref acknowledged);
        }

        await over.CancelAsync();
        await breaking;

        Assert.Equal(15, asked.Select(export => export.ExportId).Distinct().Count());
        foreach (var export in asked)
        {
            await client.UntilAsync(export, ExportState.Ready);
            await client.EventAsync(export, EventTypes.BulkReady);
            await client.AssertWholeAsync(export, Items);
        }

        Assert.Equal(15, (await client.FeedAsync()).Count);
        Assert.Equal(15, await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM exports"));
        await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3), [.. asked]);
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_read_again_and_not_repeated()
    {
        await using var scene = await Scene.CreateAsync(Items);
        await using var wire = new Wire(scene.Catalog);
        scene.Settings["ConnectionStrings__Catalog"] = wire.ConnectionString;
        var service = await scene.StartServiceAsync();
        using var client = new Client(service);
        await using var commit = await Hold.TakeAsync(scene.Catalog, Hold.Commit);
        var export = await client.AskAsync("items");
        await Hold.IsMetAsync(scene.Catalog, "INSERT INTO batch_files");

        wire.LoseNextCommit();
        await commit.ReleaseAsync();

        await client.UntilAsync(export, ExportState.Ready);
        Assert.True(wire.HasLostCommit);
        await client.EventAsync(export, EventTypes.BulkReady);
        await client.AssertWholeAsync(export, Items);
        await Eventually.TrueAsync(
            () => Task.FromResult(service.Log.Contains("is ready: 2000 records", StringComparison.Ordinal)));
        Assert.DoesNotContain("This worker has lost the lease", service.Log, StringComparison.Ordinal);
        Assert.Single(await client.FeedAsync());
        Assert.Equal(1, await Scene.ScalarAsync<int>(scene.Catalog, "SELECT leases FROM exports"));
        await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3), export);
    }

    // Half a second away, half a second there, and on a busy machine until something more was acknowledged.
    private static async Task BreakAsync(Wire wire, Func<int> acknowledged, CancellationToken over)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(0.5));
        while (!over.IsCancellationRequested)
        {
            wire.Cut();
            await timer.WaitForNextTickAsync(CancellationToken.None);
            wire.Mend();
            var before = acknowledged();
            do
            {
                await timer.WaitForNextTickAsync(CancellationToken.None);
            }
            while (acknowledged() == before && !over.IsCancellationRequested);
        }
    }

    // As a caller should: again under the same key until it is acknowledged.
    private static Task<Export> AskPatientlyAsync(Client client, string key) => Eventually.NotNullAsync(
        async () =>
        {
            using var answer = await client.TryAskAsync("items", key);
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                Assert.NotNull(answer.Headers.RetryAfter);
                return null;
            }

            Assert.True(
                answer.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.OK,
                $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
            return await answer.Content.ReadFromJsonAsync<Export>(ClaimCheckJson.Options);
        },
        Client.Patience);
}
