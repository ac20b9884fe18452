using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

public sealed class A_consumer_dies_or_takes_long(ConsumerLab lab) : IClassFixture<ConsumerLab>
{
    private static readonly TimeSpan Visibility = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Killed_between_applying_and_deleting_the_message_it_applies_nothing_again()
    {
        using var consumer = await lab.NewConsumerAsync(maxReceiveCount: 20);
        await using var sqs = await FaultProxy.StartAsync(lab.Servers.SqsUrl);
        sqs.On(IsDelete, new Fault.Stall());
        var first = consumer.Start(Quick, sqs.Url);
        var export = await lab.ExportAsync(100);
        Assert.Equal(ReceiptState.Completed, (await consumer.EndedAsync(export.BatchId)).State);
        await Eventually.TrueAsync(() => Task.FromResult(sqs.Count(IsDelete) > 0));
        await first.KillAsync();
        Assert.Equal(1, await lab.CountAsync(consumer.Queue.Url));

        var second = consumer.Start(Quick);

        await consumer.DrainedAsync();
        await AssertHandedOverOnceAsync(consumer, export);
        Assert.True(second.Said("Nothing is left to apply") > 0, second.Log);
    }

    [Fact]
    public async Task Killed_within_a_batch_it_goes_on_behind_the_last_chunk()
    {
        using var consumer = await lab.NewConsumerAsync(maxReceiveCount: 20);
        await using var hold = await consumer.HoldAsync(40);
        var first = consumer.Start(Quick);
        var export = await lab.ExportAsync(100);
        await consumer.IsHeldAsync();
        await first.KillAsync();
        await hold.ReleaseAsync();

        var second = consumer.Start(Quick);

        Assert.Equal(ReceiptState.Completed, (await consumer.EndedAsync(export.BatchId)).State);
        await consumer.DrainedAsync();
        await AssertHandedOverOnceAsync(consumer, export);
        Assert.True(second.Said("continues at") > 0, second.Log);
    }

    [Fact]
    public async Task Killed_while_it_says_how_a_batch_ended_it_says_so_soon_after_its_restart()
    {
        using var consumer = await lab.NewConsumerAsync(maxReceiveCount: 20);
        await using var service = await FaultProxy.StartAsync(lab.Service.Address);
        await using var hold = await consumer.HoldAsync(40);
        var first = consumer.Start(setup => Quick(setup) with { Service = service.Url });
        var export = await lab.ExportAsync(100);
        await consumer.IsHeldAsync();
        await Eventually.TrueAsync(async () =>
            await consumer.ReceiptAsync(export.BatchId) is { State: ReceiptState.Received or ReceiptState.Processing });
        var stalled = 0;
        service.On(request => request.Method == "PUT" && Interlocked.Increment(ref stalled) > 0, new Fault.Stall());
        await hold.ReleaseAsync();
        await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref stalled) > 0));
        await first.KillAsync();

        consumer.Start(Quick);

        var told = Eventually.NotNullAsync(
            async () => await consumer.ReceiptAsync(export.BatchId) is { State: ReceiptState.Completed } receipt ? receipt : null,
            TimeSpan.FromMinutes(3));
        Assert.Equal(100, (await told).Succeeded);
        await consumer.DrainedAsync();
        await AssertHandedOverOnceAsync(consumer, export);
    }

    [Fact]
    public async Task A_message_stays_hidden_for_as_long_as_its_handler_takes()
    {
        using var consumer = await lab.NewConsumerAsync(maxReceiveCount: 20);
        await using var hold = await consumer.HoldAsync(40);
        var visibility = TimeSpan.FromSeconds(6);
        var processes = new[] { consumer.Start(setup => setup with { Visibility = visibility }), consumer.Start(
            setup => setup with { Visibility = visibility }) };
        var export = await lab.ExportAsync(100);
        await consumer.IsHeldAsync();

        // More than two visibilities long nobody else gets it.
        Assert.Empty(await lab.Servers.Sqs.ReceiveAsync(consumer.Queue.Url, wait: visibility * 2.5));
        await hold.ReleaseAsync();

        Assert.Equal(ReceiptState.Completed, (await consumer.EndedAsync(export.BatchId)).State);
        await consumer.DrainedAsync();
        await AssertHandedOverOnceAsync(consumer, export);
        Assert.Equal(
            0, processes.Sum(process => process.Said("Another process works on") + process.Said("Nothing is left to apply")));
    }

    [Fact]
    public async Task What_a_paused_process_held_is_taken_over_and_it_commits_nothing_more()
    {
        using var consumer = await lab.NewConsumerAsync(maxReceiveCount: 20);
        await using var hold = await consumer.HoldAsync(40);
        var paused = consumer.Start(Quick);
        var export = await lab.ExportAsync(100);
        await consumer.IsHeldAsync();
        await paused.PauseAsync();
        await hold.ReleaseAsync();

        consumer.Start(Quick);
        Assert.Equal(ReceiptState.Completed, (await consumer.EndedAsync(export.BatchId)).State);
        await paused.ResumeAsync();

        await consumer.DrainedAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(paused.Said("was taken over by another process") + paused.Said("waits for the inbox") > 0));
        await AssertHandedOverOnceAsync(consumer, export);
    }

    private static ConsumerSetup Quick(ConsumerSetup setup) => setup with { Visibility = Visibility };

    private static bool IsDelete(ProxiedRequest request) => request.Action == "AmazonSQS.DeleteMessageBatch";

    private static async Task AssertHandedOverOnceAsync(LabConsumer consumer, Export export)
    {
        await consumer.AssertOnceAsync(export.BatchId, 100);
        Assert.All((await consumer.SeenAsync(export.BatchId)).Values, times => Assert.Equal(1, times));
    }
}
