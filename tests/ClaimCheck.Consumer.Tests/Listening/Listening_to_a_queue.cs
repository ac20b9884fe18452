using System.Diagnostics;
using ClaimCheck.Contracts;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Consumer.Tests.Listening;

[Collection("queues")]
public sealed class Listening_to_a_queue
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_published_batch_is_read_by_the_handler_and_its_message_deleted(bool raw)
    {
        await using var scene = await QueueScene.CreateAsync(raw);
        var orders = new List<Order>();
        string? trace = null;
        scene.Seen.Handle = async (batch, cancellationToken) =>
        {
            trace = batch.TraceParent;
            await foreach (var order in batch.ReadAsync<Order>(cancellationToken))
                orders.Add(order);
        };
        await scene.ListenAsync();

        await scene.PublishAsync(
            TestEvents.Ready(scene.Server.Batch.BatchId, $"{scene.Server.Address}/staged/manifest.json?sig=any"));

        await Deadline.UntilAsync(() => !scene.Seen.Handled.IsEmpty);
        await scene.EmptyAsync();
        Assert.Equal(Enumerable.Range(1, 40).Select(Order.Number), orders);
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c", trace, StringComparison.Ordinal);
        Assert.All(scene.Server.Fetches, fetch => Assert.Equal("", fetch.Authorization));
    }

    [Fact]
    public async Task The_handler_runs_in_the_trace_of_the_export()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == ClaimCheckConsumerOptions.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(listener);
        await using var scene = await QueueScene.CreateAsync();
        string? trace = null;
        scene.Seen.Handle = (_, _) =>
        {
            trace = Activity.Current?.TraceId.ToString();
            return Task.CompletedTask;
        };
        await scene.ListenAsync();

        await scene.PublishAsync(TestEvents.Ready());

        await Deadline.UntilAsync(() => !scene.Seen.Handled.IsEmpty);
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", trace);
    }

    [Fact]
    public async Task Duplicates_of_a_batch_that_is_being_handled_share_its_outcome()
    {
        await using var scene = await QueueScene.CreateAsync();
        var hold = new TaskCompletionSource();
        scene.Seen.Handle = (_, _) => hold.Task;
        await scene.ListenAsync();
        var ready = TestEvents.Ready();

        for (var i = 0; i < 3; i++)
            await scene.PublishAsync(ready);
        await Deadline.UntilAsync(() => scene.Log.All.Split("shares its outcome").Length >= 3);
        hold.SetResult();

        await scene.EmptyAsync();
        Assert.Single(scene.Seen.Handled);
    }

    [Fact]
    public async Task A_revocation_that_comes_before_its_batch_is_remembered()
    {
        await using var scene = await QueueScene.CreateAsync();
        await scene.ListenAsync();
        var batch = BatchId.New();

        await scene.PublishAsync(TestEvents.Revoked(batch));
        await Deadline.UntilAsync(() => scene.Seen.Times("revoked", batch) >= 1);
        await scene.PublishAsync(TestEvents.Ready(batch));
        await Deadline.UntilAsync(() => scene.Log.Has(LogLevel.Information, $"{batch} is not handled: it was revoked"));

        await scene.EmptyAsync();
        Assert.Equal(0, scene.Seen.Times("ready", batch));
        Assert.Equal(0, await scene.DeadAsync());
    }

    [Fact]
    public async Task A_revocation_ends_the_running_read_though_all_handlers_are_busy()
    {
        await using var scene = await QueueScene.CreateAsync();
        var (batch, records) = (scene.Server.Batch.BatchId, 0);
        var told = new TaskCompletionSource();
        scene.Seen.Handle = async (context, cancellationToken) =>
        {
            await foreach (var _ in context.ReadRecordsAsync(cancellationToken))
            {
                records++;
                await told.Task;
            }
        };
        await scene.ListenAsync(options => options.MaxConcurrentBatches = 1);
        await scene.PublishAsync(TestEvents.Ready(batch));
        await Deadline.UntilAsync(() => records == 1);

        await scene.PublishAsync(TestEvents.Revoked(batch));
        await Deadline.UntilAsync(() => scene.Log.Has(LogLevel.Information, $"{batch} is revoked"));
        Assert.Equal(0, scene.Seen.Times("revoked", batch));
        told.SetResult();

        await scene.EmptyAsync();
        Assert.Equal(1, records);
        Assert.IsType<BatchRevokedException>(Assert.Single(scene.Seen.Failures));
        Assert.Equal([$"ready {batch}", $"revoked {batch}"], scene.Seen.Calls);
        Assert.Equal(0, await scene.DeadAsync());
    }

    [Fact]
    public async Task A_batch_that_is_revoked_while_it_waits_for_a_handler_is_settled_at_once()
    {
        await using var scene = await QueueScene.CreateAsync();
        var (busy, waiting) = (TestEvents.Ready(), BatchId.New());
        var hold = new TaskCompletionSource();
        scene.Seen.Handle = (_, _) => hold.Task;
        await scene.ListenAsync(options => options.MaxConcurrentBatches = 1);
        await scene.PublishAsync(busy);
        await Deadline.UntilAsync(() => !scene.Seen.Calls.IsEmpty);

        await scene.PublishAsync(TestEvents.Ready(waiting));
        await scene.PublishAsync(TestEvents.Revoked(waiting));

        await Deadline.UntilAsync(() => scene.Seen.Times("revoked", waiting) >= 1);
        Assert.Empty(scene.Seen.Handled);
        hold.SetResult();
        await scene.EmptyAsync();
        Assert.Equal(0, scene.Seen.Times("ready", waiting));
    }

    [Fact]
    public async Task A_late_consumer_of_a_revoked_batch_acknowledges_it_without_a_retry()
    {
        await using var scene = await QueueScene.CreateAsync();
        scene.Server.End(ProblemCodes.BatchRevoked);
        scene.Seen.Handle = async (batch, cancellationToken) =>
            await batch.ReadAsync<Order>(cancellationToken).ToListAsync(cancellationToken);
        await scene.ListenAsync();

        await scene.PublishAsync(TestEvents.Ready(scene.Server.Batch.BatchId, $"{scene.Server.Address}/nothing-here"));

        await Deadline.UntilAsync(() => !scene.Seen.Failures.IsEmpty);
        await scene.EmptyAsync();
        Assert.IsType<BatchRevokedException>(Assert.Single(scene.Seen.Failures));
        Assert.Equal(0, await scene.DeadAsync());
    }

    [Fact]
    public async Task A_link_to_a_host_that_is_not_allowed_is_never_followed()
    {
        await using var scene = await QueueScene.CreateAsync(maxReceiveCount: 2);
        scene.Seen.Handle = async (batch, cancellationToken) =>
            await batch.ReadAsync<Order>(cancellationToken).ToListAsync(cancellationToken);
        await scene.ListenAsync();

        await scene.PublishAsync(TestEvents.Ready(location: "https://files.example/manifest.json?sig=secret"));

        await Testing.Eventually.TrueAsync(async () => await scene.DeadAsync() == 1);
        Assert.Equal(2, scene.Seen.Failures.Count);
        Assert.All(scene.Seen.Failures, failure => Assert.IsType<UntrustedLinkException>(failure));
        Assert.Empty(scene.Server.Calls);
    }

    [Fact]
    public async Task The_key_goes_to_the_configured_service_whatever_address_an_event_names()
    {
        await using var scene = await QueueScene.CreateAsync();
        scene.Seen.Handle = async (batch, cancellationToken) =>
            await batch.ReadAsync<Order>(cancellationToken).ToListAsync(cancellationToken);
        await scene.ListenAsync();
        var ready = TestEvents.Ready(scene.Server.Batch.BatchId);
        Assert.Contains("not-the-service.invalid", ready.Json(), StringComparison.Ordinal);

        await scene.PublishAsync(ready);

        await Deadline.UntilAsync(() => !scene.Seen.Handled.IsEmpty);
        var call = Assert.Single(scene.Server.Calls);
        Assert.Equal(
            ($"/v1/batches/{ready.Subject}/manifest", $"Bearer {QueueScene.Key}"),
            (call.Path, call.Headers.Authorization.ToString()));
        Assert.All(scene.Server.Fetches, fetch => Assert.Equal("", fetch.Authorization));
    }

    [Fact]
    public async Task Events_that_were_held_up_and_come_in_any_order_have_one_effect_each()
    {
        await using var scene = await QueueScene.CreateAsync(raw: false);
        var batches = Enumerable.Range(0, 30).Select(_ => BatchId.New()).ToList();
        var revoked = batches.Take(10).ToHashSet();
        var events = batches.Select(each => TestEvents.Ready(each)).ToList();
        foreach (var batch in revoked)
            await scene.PublishAsync(TestEvents.Revoked(batch));
        foreach (var ready in events.Skip(10).OrderByDescending(each => each.Subject, StringComparer.Ordinal))
            await scene.PublishAsync(ready);

        await scene.ListenAsync();
        await Deadline.UntilAsync(() => scene.Seen.Calls.Count >= 30);
        foreach (var late in events.Take(10))
            await scene.PublishAsync(late);

        await scene.EmptyAsync();
        Assert.Equal(batches.Skip(10).Select(each => $"{each}").Order(), scene.Seen.Handled.Select(each => $"{each}").Order());
        Assert.All(revoked, each => Assert.Equal((1, 0), (scene.Seen.Times("revoked", each), scene.Seen.Times("ready", each))));
        Assert.Equal(0, await scene.DeadAsync());
    }

    [Fact]
    public async Task The_service_is_asked_for_revocations_whose_event_does_not_come()
    {
        await using var scene = await QueueScene.CreateAsync();
        var batch = scene.Server.Batch.BatchId;
        scene.Server.Answer = _ =>
            Microsoft.AspNetCore.Http.Results.Json(TestBatch(batch, ExportState.Revoked), ClaimCheckJson.Options);
        scene.Seen.Handle = (context, cancellationToken) => Task.Delay(Timeout.Infinite, context.Revoked);
        await scene.ListenAsync(consumer: options => options.StateCheckInterval = TimeSpan.FromSeconds(1));

        await scene.PublishAsync(TestEvents.Ready(batch));

        await Deadline.UntilAsync(() => !scene.Seen.Failures.IsEmpty);
        await scene.EmptyAsync();
        Assert.All(scene.Server.Calls, call => Assert.Equal($"/v1/batches/{batch}", call.Path));
    }

    [Fact]
    public async Task A_failure_is_tried_again_and_a_rejection_is_not()
    {
        await using var scene = await QueueScene.CreateAsync(maxReceiveCount: 5);
        var (unlucky, hopeless) = (BatchId.New(), BatchId.New());
        scene.Seen.Handle = (batch, _) =>
            batch.BatchId == hopeless ? throw new BatchRejectedException("It is of no use.", batch.BatchId)
            : batch.Attempt < 3 ? throw new InvalidOperationException("Not yet.")
            : Task.CompletedTask;
        await scene.ListenAsync();

        await scene.PublishAsync(TestEvents.Ready(unlucky));
        await scene.PublishAsync(TestEvents.Ready(hopeless));

        await Deadline.UntilAsync(() => scene.Seen.Handled.Contains(unlucky));
        await scene.EmptyAsync();
        Assert.Equal((3, 1), (scene.Seen.Times("ready", unlucky), scene.Seen.Times("ready", hopeless)));
        Assert.Equal(0, await scene.DeadAsync());
    }

    [Fact]
    public async Task Cancelled_and_failed_exports_are_told_and_other_events_acknowledged()
    {
        await using var scene = await QueueScene.CreateAsync();
        await scene.ListenAsync(consumer: options => options.Consumer = "billing");
        var (cancelled, failed, others, own) = (BatchId.New(), BatchId.New(), BatchId.New(), BatchId.New());

        await scene.PublishAsync(TestEvents.Cancelled(cancelled));
        await scene.PublishAsync(TestEvents.Failed(failed));
        await scene.PublishAsync(TestEvents.Ready(others), consumer: "crm");
        await scene.PublishAsync(TestEvents.Ready(own), consumer: "billing");
        await scene.PublishAsync(TestEvents.Ready() with { Type = "claimcheck.bulk.something.v7" });

        await Deadline.UntilAsync(
            () => scene.Seen.Calls.Count >= 3 && scene.Log.All.Contains("newer than this version", StringComparison.Ordinal));
        await scene.EmptyAsync();
        Assert.Equal(
            new[] { $"cancelled {cancelled}", $"failed {failed}", $"ready {own}" }.Order(),
            scene.Seen.Calls.Order());
        Assert.Equal(0, await scene.DeadAsync());
    }

    private static Batch TestBatch(BatchId batch, string state) => new()
    {
        BatchId = batch,
        ExportId = ExportId.New(),
        State = state,
        Dataset = "orders",
        SchemaVersion = 1,
        Format = "csv",
        Compression = "gzip",
        Records = 1,
        Bytes = 1,
        UncompressedBytes = 1,
        Files = 1,
        Redeemed = [],
        Links = new BatchLinks("", "", null, null, null, "", ""),
    };
}
