using System.Net;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

/// <summary>Links that expire under a slow consumer, by real signatures.</summary>
public sealed class A_link_dies_while_it_is_read
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task And_the_read_goes_on_with_fresh_links_without_a_gap(bool onS3)
    {
        await using var scene = await Scene.CreateAsync(items: 20_000, onS3);
        var service = await scene.StartServiceAsync();
        using var client = new ClaimCheckClient(service.Address);
        var export = await client.CreateExportAsync(
            new ExportRequest { Dataset = "items", Compression = "none", MaxFileBytes = 64 * 1024, LinkLifetime = "PT3S" });
        await Eventually.TrueAsync(
            async () => (await client.GetExportAsync(export.ExportId, TimeSpan.FromSeconds(10))).State == ExportState.Ready);
        using var reader = new BatchReader(client, new BatchReaderOptions { AllowedLinkHosts = ["127.0.0.1"] });
        var manifest = await client.GetManifestAsync(export.BatchId);
        Assert.True(manifest.Files.Count > 3);
        List<long> ids = [];

        await foreach (var item in reader.ReadAsync<Item>(manifest))
        {
            ids.Add(item.Id);
            if (ids.Count == 1)
                await Eventually.TrueAsync(() => IsDeadAsync(manifest.Files[^1].Url));
        }

        Assert.Equal(Enumerable.Range(1, 20_000).Select(id => (long)id), ids);
    }

    private static async Task<bool> IsDeadAsync(Link link)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, link.Reveal());
        request.Headers.Range = new(0, 0);
        using var response = await http.SendAsync(request);
        return response.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.Gone;
    }

    private sealed record Item(long Id, string? Name);
}
