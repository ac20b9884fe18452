using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

public sealed class A_poison_message(ConsumerLab lab) : IClassFixture<ConsumerLab>
{
    [Fact]
    public async Task Goes_to_the_dead_letter_queue_after_exactly_so_many_receives_and_its_neighbours_go_on()
    {
        const int receives = 4;
        var mailbox = await lab.Servers.NewQueueAsync(lab.Topic);
        using var consumer = await lab.NewConsumerAsync(maxReceiveCount: receives);
        var first = await lab.ExportAsync(100);
        var message = Assert.Single(await lab.TakeAsync(mailbox.Url, 1));
        var unknown = BatchId.New();
        string[] poison =
        [
            "not JSON, but secret-in-the-message",
            message.Body.Replace(first.BatchId.ToString(), unknown.ToString(), StringComparison.Ordinal), // no service knows it
        ];
        foreach (var body in poison)
            await lab.Servers.Sqs.SendAsync(consumer.Queue.Url, new OutgoingMessage(body) { Attributes = message.Texts() });

        var process = consumer.Start();
        var second = await lab.ExportAsync(50);

        Assert.Equal(ReceiptState.Completed, (await consumer.EndedAsync(first.BatchId)).State);
        Assert.Equal(ReceiptState.Completed, (await consumer.EndedAsync(second.BatchId)).State);
        await Eventually.TrueAsync(async () => await lab.CountAsync(consumer.Queue.DeadLetterUrl) == 2);
        await consumer.DrainedAsync(dead: 2);
        Assert.Equal(poison.Order(), (await lab.TakeAsync(consumer.Queue.DeadLetterUrl, 2)).Select(dead => dead.Body).Order());
        Assert.Equal(receives, process.Said("is not a ClaimCheck event, and is left to the redrive policy"));
        Assert.Equal(receives, process.Said($"of batch {unknown} failed at try"));
        Assert.Equal(0, process.Said("secret-in-the-message"));
        await consumer.AssertOnceAsync(first.BatchId, 100);
        await consumer.AssertOnceAsync(second.BatchId, 50);
    }
}
