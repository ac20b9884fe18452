using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

public sealed class When_a_batch_is_revoked(ConsumerLab lab) : IClassFixture<ConsumerLab>
{
    private static readonly SubscriptionOptions ReadyAlone = new()
    {
        Filter = new Dictionary<string, IReadOnlyCollection<string>> { ["type"] = [EventTypes.BulkReady] },
    };

    [Theory]
    [InlineData("queue")]
    [InlineData("feed")]
    [InlineData("state")] // no event tells it: it looks
    public async Task The_chunk_in_flight_is_undone_no_other_is_handed_over_and_all_is_discarded(string hearsBy)
    {
        using var consumer =
            hearsBy == "feed" ? await lab.NewFollowerAsync() : await lab.NewConsumerAsync(hearsBy == "state" ? ReadyAlone : null);
        await using var hold = await consumer.HoldAsync(40);
        var process = consumer.Start(setup => setup with { StateCheck = TimeSpan.FromSeconds(hearsBy == "state" ? 1 : 60) });
        var export = await lab.ExportAsync(100);
        await consumer.IsHeldAsync();
        Assert.Equal(40, (await consumer.AppliedAsync(export.BatchId)).Count);

        var report = await lab.Client.RevokeAsync(export.BatchId, "a test");
        var receipt = await consumer.EndedAsync(export.BatchId);
        if (hearsBy != "feed")
            await consumer.DrainedAsync();
        await hold.ReleaseAsync();
        await process.StopAsync();

        Assert.NotNull(report.Report.VerifiedAt);
        Assert.Equal(ReceiptState.Discarded, receipt.State);
        Assert.Equal("40", await consumer.DiscardedAsync(export.BatchId));
        Assert.Empty(await consumer.AppliedAsync(export.BatchId));
        Assert.Equal(40, (await consumer.SeenAsync(export.BatchId)).Count);
        Assert.Equal(0, process.Said("is to be tried again"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_consumer_that_starts_later_acknowledges_it_and_tries_nothing_again(bool hears)
    {
        using var consumer = await lab.NewConsumerAsync(hears ? null : ReadyAlone, maxReceiveCount: 1);
        var export = await lab.ExportAsync(100);
        await Eventually.TrueAsync(async () => await lab.CountAsync(consumer.Queue.Url) == 1);
        await lab.Client.RevokeAsync(export.BatchId, "a test");
        if (hears)
            await Eventually.TrueAsync(async () => await lab.CountAsync(consumer.Queue.Url) == 2);

        var process = consumer.Start();

        Assert.Equal(ReceiptState.Discarded, (await consumer.EndedAsync(export.BatchId)).State);
        await consumer.DrainedAsync();
        Assert.Equal("0", await consumer.DiscardedAsync(export.BatchId));
        Assert.Empty(await consumer.SeenAsync(export.BatchId));
        Assert.Equal(0, process.Said("is to be tried again"));
    }
}
