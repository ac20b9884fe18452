using ClaimCheck.Consumer.Listening;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClaimCheck.Consumer.Tests.Listening;

[Collection("queues")]
public sealed class Messages_that_take_long_or_fail
{
    [Fact]
    public async Task Poison_goes_to_the_dead_letter_queue_after_exactly_so_many_receives_and_its_neighbours_go_on()
    {
        await using var scene = await QueueScene.CreateAsync(maxReceiveCount: 3);
        var poison = BatchId.New();
        scene.Seen.Handle = (batch, _) =>
            batch.BatchId == poison ? throw new InvalidOperationException("Poison.") : Task.CompletedTask;
        await scene.ListenAsync(options => options.MaxConcurrentBatches = 2);
        await scene.SendAsync("""{ "secret-in-the-message": 1 }""");
        await scene.PublishAsync(TestEvents.Ready(poison));
        var neighbours = Enumerable.Range(0, 10).Select(_ => TestEvents.Ready()).ToList();

        foreach (var neighbour in neighbours)
            await scene.PublishAsync(neighbour);

        await Eventually.TrueAsync(async () => await scene.DeadAsync() == 2);
        await scene.EmptyAsync();
        Assert.Equal(3, scene.Seen.Times("ready", poison));
        Assert.Equal(neighbours.Select(each => each.Subject).Order(), scene.Seen.Handled.Select(each => each.ToString()).Order());
        Assert.Equal(3, scene.Log.All.Split("is not a ClaimCheck event, and is left to the redrive policy").Length - 1);
        Assert.DoesNotContain("secret-in-the-message", scene.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_stays_hidden_for_as_long_as_its_handler_takes()
    {
        await using var scene = await QueueScene.CreateAsync();
        var hold = new TaskCompletionSource();
        scene.Seen.Handle = (_, _) => hold.Task;
        await scene.ListenAsync(options => options.Visibility = TimeSpan.FromSeconds(6));
        await scene.PublishAsync(TestEvents.Ready());
        await Deadline.UntilAsync(() => !scene.Seen.Calls.IsEmpty);

        // More than two visibilities long nobody else gets it.
        Assert.Empty(await scene.Endpoint.Sqs.ReceiveAsync(scene.Queue.Url, wait: TimeSpan.FromSeconds(13)));
        hold.SetResult();

        await scene.EmptyAsync();
        Assert.Single(scene.Seen.Calls);
    }

    [Fact]
    public async Task A_message_whose_visibility_ran_out_is_held_once_and_deleted_by_its_newest_handle()
    {
        await using var scene = await QueueScene.CreateAsync(maxReceiveCount: 10);
        var held = new HeldMessages(new ListenedQueue(() => scene.Endpoint.Sqs, scene.Queue.Url),
            new SqsListenerOptions { QueueUrl = scene.Queue.Url }, TimeProvider.System, NullLogger.Instance);
        await scene.SendAsync(TestEvents.Ready().Json());
        var first = Assert.Single(await scene.Endpoint.Sqs.ReceiveAsync(scene.Queue.Url, visibility: TimeSpan.FromSeconds(1)));
        var message = held.Take(first, out _)!;
        var second = Assert.Single(await scene.Endpoint.Sqs.ReceiveAsync(scene.Queue.Url, visibility: TimeSpan.FromSeconds(30)));

        Assert.Null(held.Take(second, out var isDone));
        Assert.False(isDone);
        Assert.Equal(second.ReceiptHandle, message.ReceiptHandle);
        await held.DeleteAsync([message], CancellationToken.None);

        await scene.EmptyAsync();
        Assert.Empty(held.All);
        Assert.NotNull(held.Take(second, out isDone)); // had it been under way already
        Assert.True(isDone);
    }

    [Fact]
    public async Task A_message_held_for_too_long_is_handed_out_again_and_its_handler_cancelled()
    {
        await using var scene = await QueueScene.CreateAsync(maxReceiveCount: 10);
        scene.Seen.Handle = (batch, cancellationToken) =>
            batch.Attempt == 1 ? Task.Delay(Timeout.Infinite, cancellationToken) : Task.CompletedTask;
        await scene.ListenAsync(
            options => (options.MaxProcessing, options.Visibility) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)));

        await scene.PublishAsync(TestEvents.Ready());

        await Deadline.UntilAsync(() => !scene.Seen.Handled.IsEmpty);
        await scene.EmptyAsync();
        Assert.IsAssignableFrom<OperationCanceledException>(Assert.Single(scene.Seen.Failures));
        Assert.True(scene.Log.Has(LogLevel.Warning, "its handler is cancelled"));
    }

    [Fact]
    public async Task A_stop_lets_handlers_end_and_hands_back_at_once_what_has_not_begun()
    {
        await using var scene = await QueueScene.CreateAsync();
        var (first, second) = (TestEvents.Ready(), TestEvents.Ready());
        var hold = new TaskCompletionSource();
        scene.Seen.Handle = (_, _) => hold.Task;
        var host = await scene.ListenAsync(options =>
            (options.MaxConcurrentBatches, options.StopTimeout, options.Heartbeat, options.Visibility) =
            (1, TimeSpan.FromMinutes(3), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(130)));
        await scene.PublishAsync(first);
        await Deadline.UntilAsync(() => !scene.Seen.Calls.IsEmpty);
        await scene.PublishAsync(second);
        await Eventually.TrueAsync(async () =>
            (await scene.Endpoint.Sqs.AttributesAsync(scene.Queue.Url))["ApproximateNumberOfMessagesNotVisible"] == "2");

        var stopping = host.StopAsync();
        var back = await Eventually.NotNullAsync(async () =>
            // long before it would be seen again
            (await scene.Endpoint.Sqs.ReceiveAsync(scene.Queue.Url, wait: TimeSpan.FromSeconds(1))).SingleOrDefault(), TimeSpan
                .FromSeconds(60));
        Assert.False(stopping.IsCompleted);
        hold.SetResult();
        await stopping;

        Assert.Contains(second.Subject, back.Body, StringComparison.Ordinal);
        Assert.Equal([first.Subject], scene.Seen.Handled.Select(each => each.ToString()));
        await scene.Endpoint.Sqs.DeleteAsync(scene.Queue.Url, [back]);
        await scene.EmptyAsync();
    }

    [Fact]
    public async Task A_handler_that_does_not_end_in_time_is_cancelled_and_its_message_handed_back_at_once()
    {
        await using var scene = await QueueScene.CreateAsync();
        scene.Seen.Handle = (_, cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);
        var host = await scene.ListenAsync(options =>
            (options.StopTimeout, options.Heartbeat, options.Visibility) =
                (TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(130)));
        await scene.PublishAsync(TestEvents.Ready());
        await Deadline.UntilAsync(() => !scene.Seen.Calls.IsEmpty);

        await host.StopAsync();

        Assert.Single(await scene.Endpoint.Sqs.ReceiveAsync(scene.Queue.Url, wait: TimeSpan.FromSeconds(10)));
        Assert.IsAssignableFrom<OperationCanceledException>(Assert.Single(scene.Seen.Failures));
    }
}
