using System.Net;
using System.Net.Http.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Revocation;

[Collection(nameof(Heavy))]
public sealed class Revocations_over_a_restart
{
    [Fact]
    public async Task A_service_that_died_in_the_middle_of_a_deletion_ends_it_after_its_restart()
    {
        await using var scene = await Scene.CreateAsync(items: 100);
        var first = await scene.StartServiceAsync();
        using var http = first.NewHttp();
        await http.PostAsJsonAsync("/v1/exports", new { dataset = "items" });
        var ready = await Eventually.NotNullAsync(async () =>
            (await http.GetFromJsonAsync<Page<BulkEvent>>("/v1/events?wait=5", ClaimCheckJson.Options))!.Items.SingleOrDefault());
        Assert.True(BatchId.TryParse(ready.Subject, out var batch));
        await first.KillAsync();

        // As the commit of a revocation leaves it: everything is still there, and links are to be probed.
        await Scene.SqlAsync(
            scene.Catalog,
            $$"""
            UPDATE exports SET state = 'revoked', ended_at = now() WHERE batch_id = '{{batch.Value}}';
            INSERT INTO batch_deletions (batch_id, probes)
            VALUES ('{{batch.Value}}', '[{ "key": "batches/{{batch}}/manifest.json", "before": 206, "isDead": false }]');
            """);
        var second = await scene.StartServiceAsync();
        using var again = second.NewHttp();
        await Eventually.TrueAsync(async () => await Scene.ScalarAsync<bool>(
            scene.Catalog, $"SELECT verified_at IS NOT NULL FROM batch_deletions WHERE batch_id = '{batch.Value}'"));
        var answer = await again.DeleteAsync($"/v1/batches/{batch}");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var report = await answer.Content.ReadFromJsonAsync<RevocationReport>(ClaimCheckJson.Options);
        Assert.Equal((3, 0), (report!.Objects.Deleted, report.Objects.Remaining));
        Assert.Equal((206, 404), (report.Probes.Single().Before, report.Probes.Single().After));
        Assert.Equal(0, await second.StopAsync());
    }
}
