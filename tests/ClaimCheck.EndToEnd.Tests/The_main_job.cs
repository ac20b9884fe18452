using System.Net;
using System.Net.Http.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests;

/// <summary>Export, event, lazy fetch, revocation: on real processes, over both stagings.</summary>
public sealed class The_main_job
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_export_travels_as_a_link_and_dies_by_revocation(bool onS3)
    {
        await using var scene = await Scene.CreateAsync(items: 5000, onS3);
        var service = await scene.StartServiceAsync();
        using var http = service.NewHttp();

        var asked = await http.PostAsync("/v1/exports", Json("""{ "dataset": "items" }"""));
        Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);

        var ready = await Eventually.NotNullAsync(async () =>
        {
            var page = await http.GetFromJsonAsync<Page<BulkEvent>>("/v1/events?wait=5", ClaimCheckJson.Options);
            return page!.Items.SingleOrDefault(item => item.Type == "claimcheck.bulk.ready.v1");
        });
        var link = ready.DataRef!.Reveal();
        using var anyone = new HttpClient();
        var manifest = await anyone.GetFromJsonAsync<Manifest>(link, ClaimCheckJson.Options);
        Assert.Equal(5000, manifest!.Records);
        var file = manifest.Files.Single().Url.Reveal();
        Assert.Equal(HttpStatusCode.OK, (await anyone.GetAsync(file)).StatusCode);

        var answer = await http.DeleteAsync($"/v1/batches/{ready.Subject}?reason=test");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var report = await answer.Content.ReadFromJsonAsync<RevocationReport>(ClaimCheckJson.Options);
        Assert.NotNull(report!.VerifiedAt);
        Assert.Equal(0, report.Objects.Remaining);
        Assert.All(report.Probes, probe => Assert.Equal((206, 404), (probe.Before, probe.After)));
        Assert.Equal(HttpStatusCode.NotFound, (await anyone.GetAsync(link)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await anyone.GetAsync(file)).StatusCode);
        Assert.Equal(HttpStatusCode.Gone, (await http.GetAsync($"/v1/batches/{ready.Subject}/manifest")).StatusCode);
        Assert.Equal(0, await service.StopAsync());
    }

    private static StringContent Json(string text) => new(text, System.Text.Encoding.UTF8, "application/json");
}
