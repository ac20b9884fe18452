using Amazon.SQS.Model;
using ClaimCheck.Testing;
using ClaimCheck.Aws;
using ClaimCheck.Contracts;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

/// <summary>The test is the postman: what the topic said goes to the consumer's queue as often, and in the order,
/// that it likes.</summary>
public sealed class Events_that_come_late_or_again(ConsumerLab lab) : IClassFixture<ConsumerLab>
{
    [Fact]
    public async Task Each_batch_takes_effect_once_whatever_is_duplicated_reordered_or_late()
    {
        var mailbox = await lab.Servers.NewQueueAsync(lab.Topic);
        using var consumer = await lab.NewConsumerAsync(await lab.Servers.NewQueueAsync());
        var (kept, taken, early) = (await ReadyAsync(), await ReadyAsync(), await ReadyAsync());
        var earlyRevoked = await RevokedAsync(early);
        consumer.Start();
        consumer.Start();

        await SendAsync(earlyRevoked, earlyRevoked);
        Assert.Equal(ReceiptState.Discarded, (await consumer.EndedAsync(early.Batch)).State);
        await SendAsync(
            early.Message, kept.Message, taken.Message, kept.Message, earlyRevoked, taken.Message, early.Message, kept.Message);
        Assert.Equal(ReceiptState.Completed, (await consumer.EndedAsync(kept.Batch)).State);
        Assert.Equal(ReceiptState.Completed, (await consumer.EndedAsync(taken.Batch)).State);
        await consumer.DrainedAsync();
        await consumer.AssertOnceAsync(taken.Batch, 100);
        consumer.Dispose();
        consumer.Start();
        var takenRevoked = await RevokedAsync(taken);
        await SendAsync(taken.Message, takenRevoked, kept.Message, early.Message, takenRevoked, taken.Message, earlyRevoked);
        await consumer.EndedAsync(taken.Batch, receipt => receipt.State == ReceiptState.Discarded);
        await consumer.DrainedAsync();

        await consumer.AssertOnceAsync(kept.Batch, 100);
        Assert.Empty(await consumer.AppliedAsync(taken.Batch));
        foreach (var batch in new[] { kept.Batch, taken.Batch })
            Assert.Equal((100, 1), ((await consumer.SeenAsync(batch)).Count, (await consumer.SeenAsync(batch)).Values.Max()));
        Assert.Empty(await consumer.SeenAsync(early.Batch));
        Assert.Equal((null, "100", "0"), (await consumer.DiscardedAsync(kept.Batch), await consumer.DiscardedAsync(taken.Batch),
            await consumer.DiscardedAsync(early.Batch)));
        Assert.Equal(ReceiptState.Completed, (await consumer.ReceiptAsync(kept.Batch))!.State);

        async Task<(BatchId Batch, Message Message)> ReadyAsync()
        {
            var export = await lab.ExportAsync(100);
            return (export.BatchId, await NextAsync(export.BatchId, EventTypes.BulkReady));
        }

        async Task<Message> RevokedAsync((BatchId Batch, Message Message) ready)
        {
            await lab.Client.RevokeAsync(ready.Batch, "a test");
            return await NextAsync(ready.Batch, EventTypes.BulkRevoked);
        }

        async Task<Message> NextAsync(BatchId batch, string type)
        {
            var message = Assert.Single(await lab.TakeAsync(mailbox.Url, 1));
            Assert.Equal(type, DeliveredMessage.Open(message).Type);
            Assert.Contains($"\"{batch}\"", message.Body, StringComparison.Ordinal);
            return message;
        }

        async Task SendAsync(params Message[] messages)
        {
            foreach (var message in messages)
                await lab.Servers.Sqs.SendAsync(
                    consumer.Queue.Url, new OutgoingMessage(message.Body) { Attributes = message.Texts() });
        }
    }
}
