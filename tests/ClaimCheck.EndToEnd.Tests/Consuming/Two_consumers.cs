using ClaimCheck.Aws;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

public sealed class Two_consumers(ConsumerLab lab) : IClassFixture<ConsumerLab>
{
    [Fact]
    public async Task Each_applies_a_batch_and_what_is_sent_again_to_one_reaches_it_alone()
    {
        using var billing = await SubscribedAsync();
        using var crm = await SubscribedAsync();
        var first = billing.Start();
        var other = crm.Start();
        await crm.SqlAsync($"INSERT INTO fates (key, rounds, terminal) VALUES ({ConsumerLab.Items}, 0, true)");

        var export = await lab.ExportAsync(100);
        var done = (await billing.EndedAsync(export.BatchId), await crm.EndedAsync(export.BatchId));
        await billing.DrainedAsync();
        await crm.DrainedAsync();
        await other.StopAsync();
        Assert.Equal((ReceiptState.Completed, ReceiptState.PartiallyFailed), (done.Item1.State, done.Item2.State));
        await billing.AssertOnceAsync(export.BatchId, 100);
        Assert.Equal(99, (await crm.AppliedAsync(export.BatchId)).Count);

        // It knows of the batch: it takes nothing again. While it runs it may take the message before anyone sees it.
        await first.StopAsync();
        await lab.Client.RedeliverAsync(export.BatchId, billing.Name);
        await Eventually.TrueAsync(async () => await lab.CountAsync(billing.Queue.Url) > 0);
        billing.Start();
        await billing.DrainedAsync();
        await billing.AssertOnceAsync(export.BatchId, 100);
        // Then its database is lost.
        billing.Dispose();
        using var restored = await lab.NewConsumerAsync(billing.Queue, billing.Name);
        restored.Start();
        await lab.Client.RedeliverAsync(export.BatchId, billing.Name);
        await Eventually.TrueAsync(async () => (await restored.AppliedAsync(export.BatchId)).Count == 100);
        await restored.AssertOnceAsync(export.BatchId, 100);
        await restored.DrainedAsync();

        // All that came to the other one since is what came after.
        var next = await lab.ExportAsync(10);
        var message = DeliveredMessage.Open(Assert.Single(await lab.TakeAsync(crm.Queue.Url, 1)));
        Assert.Equal(("*", true), (message.Consumer, message.Body.Contains($"\"{next.BatchId}\"", StringComparison.Ordinal)));
        Assert.Equal(0, await lab.CountAsync(crm.Queue.Url));
        Assert.Equal(ReceiptState.PartiallyFailed, (await crm.ReceiptAsync(export.BatchId))!.State);
    }

    private async Task<LabConsumer> SubscribedAsync()
    {
        var consumer = await lab.NewConsumerAsync(await lab.Servers.NewQueueAsync());
        var subscription = await lab.Client.CreateSubscriptionAsync(new SubscriptionRequest
        {
            Consumer = consumer.Name,
            Protocol = SubscriptionProtocol.Sqs,
            Endpoint = consumer.Queue.Arn,
        });
        Assert.Equal(SubscriptionState.Active, subscription.State);
        return consumer;
    }
}
