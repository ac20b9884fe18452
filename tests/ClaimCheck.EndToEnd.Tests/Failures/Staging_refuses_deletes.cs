using System.Net;
using System.Net.Http.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>A revocation whose objects can't be deleted holds all the same, and deletes until it is proved.</summary>
public sealed class Staging_refuses_deletes
{
    [Fact]
    public async Task Nothing_is_minted_meanwhile_and_the_deletion_goes_on_until_it_is_verified()
    {
        await using var proxy = await FaultProxy.StartAsync((await S3Endpoint.GetAsync()).Url);
        await using var scene = await Scene.CreateAsync(2000, s3: proxy.Url);
        var first = await scene.StartServiceAsync();
        using var asking = new Client(first);
        var export = await asking.AskAsync("items");
        await asking.UntilAsync(export, ExportState.Ready);
        var ready = await asking.EventAsync(export, EventTypes.BulkReady);
        var staged = await Staged.ObjectsAsync(scene);
        Assert.Equal(3, staged.Count);

        proxy.On(request => request.Method == "DELETE" || request.IsDeletion, Fault.S3Error(403, "AccessDenied"));
        using var answer = await asking.Http.DeleteAsync($"/v1/batches/{export.BatchId}?reason=mistake");
        await AssertPendingAsync(answer);
        await AssertNothingMintedAsync(asking, export);
        Assert.Equal(staged, await Staged.ObjectsAsync(scene));

        // It is the catalog that remembers, not the process. And another kind of refusal.
        Assert.Equal(0, await first.StopAsync());
        proxy.Heal();
        proxy.On(request => request.Method == "DELETE" || request.IsDeletion, Fault.S3Error(500, "InternalError"));
        var second = await scene.StartServiceAsync();
        using var client = new Client(second);
        await AssertNothingMintedAsync(client, export);
        using var again = await client.Http.DeleteAsync($"/v1/batches/{export.BatchId}");
        await AssertPendingAsync(again);
        Assert.Equal(staged, await Staged.ObjectsAsync(scene));

        proxy.Heal();
        var report = await Eventually.NotNullAsync(
            async () =>
            {
                using var asked = await client.Http.DeleteAsync($"/v1/batches/{export.BatchId}");
                var found = await asked.Content.ReadFromJsonAsync<RevocationReport>(ClaimCheckJson.Options);
                Assert.Equal(found!.VerifiedAt is null ? HttpStatusCode.Accepted : HttpStatusCode.OK, asked.StatusCode);
                return found.VerifiedAt is null ? null : found;
            },
            Client.Patience);
        Assert.Null(report.Pending);
        Assert.Equal((0, "mistake"), (report.Objects.Remaining, report.Reason));
        Assert.Equal(staged.Count, report.Probes.Count);
        Assert.All(report.Probes, probe => Assert.Equal((206, 404), (probe.Before, probe.After)));
        Assert.Empty(await Staged.ObjectsAsync(scene));
        Assert.Empty(await Staged.UploadsAsync(scene));
        Assert.Equal(HttpStatusCode.NotFound, (await client.Http.GetAsync(ready.DataRef!.Reveal())).StatusCode);
        await client.EventAsync(export, EventTypes.BulkRevoked);
        Assert.Equal(2, (await client.FeedAsync()).Count);
    }

    private static async Task AssertPendingAsync(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        var report = await answer.Content.ReadFromJsonAsync<RevocationReport>(ClaimCheckJson.Options);
        Assert.Equal(ExportState.Revoked, report!.State);
        Assert.Null(report.VerifiedAt);
        Assert.NotEqual(0, report.Objects.Remaining);
        Assert.False(string.IsNullOrEmpty(report.Pending), "It should say why.");
    }

    private static async Task AssertNothingMintedAsync(Client client, Export export)
    {
        foreach (var part in new[] { "manifest", "data", "files/part-00001.ndjson", "files/part-00001.index.json" })
            Assert.Equal(HttpStatusCode.Gone, (await client.Http.GetAsync($"/v1/batches/{export.BatchId}/{part}")).StatusCode);
        var ready = await client.EventAsync(export, EventTypes.BulkReady);
        Assert.Null(ready.DataRef);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, ready.Data.GetProperty("location").ValueKind);
    }
}
