using System.Net;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

public sealed class Downloads_that_break(ConsumerLab lab) : IClassFixture<ConsumerLab>
{
    private const int FileBytes = 64 * 1024;

    [Fact]
    public async Task Links_that_expire_while_a_handler_works_are_refreshed_and_each_record_takes_effect_once()
    {
        using var consumer = await lab.NewConsumerAsync();
        await using var hold = await consumer.HoldAsync(500);
        consumer.Start(InLargeChunks);
        var export = await lab.ExportAsync(ConsumerLab.Items, FileBytes, "PT3S", "none");
        await consumer.IsHeldAsync();
        var manifest = await lab.Client.GetManifestAsync(export.BatchId); // its links are younger than the consumer's
        Assert.True(manifest.Files.Count > 3);
        await Eventually.TrueAsync(() => IsDeadAsync(manifest.Files[^1].Url));
        var before = Fetches(export, manifest.Files[^1].Name);
        await hold.ReleaseAsync();

        Assert.Equal(ReceiptState.Completed, (await consumer.EndedAsync(export.BatchId)).State);
        await consumer.AssertOnceAsync(export.BatchId, ConsumerLab.Items);
        Assert.True(Fetches(export, manifest.Files[^1].Name) > before);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("truncated")]
    [InlineData("altered")]
    public async Task A_body_that_breaks_twice_is_fetched_again_and_each_record_takes_effect_once(string how)
    {
        Fault fault = how switch
        {
            "cut" => new Fault.CutResponse(30_000),
            "truncated" => new Fault.TruncateResponse(30_000),
            _ => new Fault.CorruptResponse(30_000),
        };
        using var consumer = await lab.NewConsumerAsync();
        var export = await lab.ExportAsync(ConsumerLab.Items, FileBytes, compression: "none");
        lab.Links.On(request => IsOf(request, export, "part-00002.csv"), fault, times: 2);

        consumer.Start(InLargeChunks);

        Assert.Equal(ReceiptState.Completed, (await consumer.EndedAsync(export.BatchId)).State);
        await consumer.AssertOnceAsync(export.BatchId, ConsumerLab.Items);
        Assert.True(Fetches(export, "part-00002.csv") >= 3);
        lab.Links.Heal();
    }

    [Fact]
    public async Task Nothing_is_applied_of_a_block_that_stays_altered_until_it_comes_as_it_was()
    {
        using var consumer = await lab.NewConsumerAsync(maxReceiveCount: 20);
        var export = await lab.ExportAsync(ConsumerLab.Items, FileBytes, compression: "none");
        var manifest = await lab.Client.GetManifestAsync(export.BatchId);
        // within its first block
        lab.Links.On(request => IsOf(request, export, "part-00002.csv"), new Fault.CorruptResponse(10_000));

        var process = consumer.Start(InLargeChunks);
        await Eventually.TrueAsync(
            () => Task.FromResult(process.Said("failed at try 1 and is to be tried again") > 0), TimeSpan.FromMinutes(3));

        Assert.Equal(
            Enumerable.Range(1, (int)manifest.Files[0].Records).Select(key => (long)key),
            (await consumer.AppliedAsync(export.BatchId)).Keys.Order());
        Assert.False(ReceiptState.IsEnd((await consumer.ReceiptAsync(export.BatchId))!.State!));
        lab.Links.Heal();
        Assert.Equal(ReceiptState.Completed, (await consumer.EndedAsync(export.BatchId)).State);
        await consumer.AssertOnceAsync(export.BatchId, ConsumerLab.Items);
        await consumer.DrainedAsync();
    }

    private static ConsumerSetup InLargeChunks(ConsumerSetup setup) => setup with { ChunkSize = 500 };

    private static bool IsOf(ProxiedRequest request, Export export, string name) =>
        request.Path.Contains($"/{export.BatchId}/", StringComparison.Ordinal)
        && request.Path.EndsWith("/" + name, StringComparison.Ordinal);

    private int Fetches(Export export, string name) => lab.Links.Count(request => IsOf(request, export, name));

    private static async Task<bool> IsDeadAsync(Link link)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, link.Reveal());
        request.Headers.Range = new(0, 0);
        using var response = await http.SendAsync(request);
        return response.StatusCode == HttpStatusCode.Forbidden;
    }
}
