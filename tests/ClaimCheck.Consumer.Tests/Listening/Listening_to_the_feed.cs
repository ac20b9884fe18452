using System.Diagnostics;
using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Consumer.Tests.Listening;

public sealed class Listening_to_the_feed : IAsyncLifetime, IDisposable
{
    private readonly Seen seen = new();
    private readonly LogLines log = new();
    private readonly WatchedCursorStore cursors = new();
    private readonly List<BulkEvent> feed = [];
    private int oldest;
    private StagingServer server = null!;

    public async Task InitializeAsync()
    {
        server = await StagingServer.StartAsync(Order.Batch(40));
        server.Answer = Feed;
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    public void Dispose() => log.Dispose();

    [Fact]
    public async Task Events_are_handled_once_and_a_restart_goes_on_behind_them()
    {
        var batches = Publish(8);
        using (var host = await ListenAsync())
        {
            await Deadline.UntilAsync(() => seen.Handled.Count >= 8);
            await host.StopAsync();
        }
        Assert.Equal("8", await cursors.LoadAsync(CancellationToken.None));
        var more = Publish(2);

        using (var host = await ListenAsync())
        {
            await Deadline.UntilAsync(() => seen.Handled.Count >= 10);
            await host.StopAsync();
        }

        Assert.Equal(batches.Concat(more).Order(), seen.Handled.Select(each => each.ToString()).Order());
    }

    [Fact]
    public async Task A_stop_while_the_cursor_is_being_stored_loses_it_not()
    {
        Publish(3);
        var storing = new TaskCompletionSource();
        cursors.Save = cancellationToken =>
        {
            storing.TrySetResult();
            return cursors.Saves == 1 ? Task.Delay(Timeout.Infinite, cancellationToken) : Task.CompletedTask;
        };

        using var host = await ListenAsync();
        await storing.Task.WaitAsync(TimeSpan.FromMinutes(2));
        await host.StopAsync();

        Assert.Equal("3", await cursors.LoadAsync(CancellationToken.None));
        Assert.Equal(2, cursors.Saves);
    }

    [Fact]
    public async Task A_cursor_that_could_not_be_stored_is_stored_later()
    {
        Publish(3);
        cursors.Save = _ => cursors.Saves == 1 ? throw new IOException("The disk is full.") : Task.CompletedTask;

        using var host = await ListenAsync();
        await Deadline.UntilAsync(() => log.Has(LogLevel.Error, "The cursor could not be stored"));
        await host.StopAsync();

        Assert.Equal("3", await cursors.LoadAsync(CancellationToken.None));
    }

    [Fact]
    public async Task What_was_not_handled_before_a_stop_comes_again()
    {
        var stuck = Id(Publish(6)[1]);
        seen.Handle = (batch, cancellationToken) =>
            batch.BatchId == stuck ? Task.Delay(Timeout.Infinite, cancellationToken) : Task.CompletedTask;
        using (var host = await ListenAsync(options => options.StopTimeout = TimeSpan.FromMilliseconds(500)))
        {
            await Deadline.UntilAsync(() => seen.Handled.Count >= 5 && seen.Times("ready", stuck) >= 1);
            await host.StopAsync();
        }
        Assert.Null(await cursors.LoadAsync(CancellationToken.None));
        seen.Handle = (_, _) => Task.CompletedTask;

        using (var host = await ListenAsync())
        {
            await Deadline.UntilAsync(() => seen.Handled.Count >= 11); // all six come again
            await host.StopAsync();
        }

        Assert.Equal("6", await cursors.LoadAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_batch_that_fails_holds_up_no_other_and_is_given_up_in_the_end()
    {
        var poison = Id(Publish(7)[0]);
        seen.Handle = (batch, _) => batch.BatchId == poison ? throw new InvalidOperationException("Poison.") : Task.CompletedTask;

        using var host = await ListenAsync(options => options.MaxAttempts = 4);

        await Deadline.UntilAsync(
            () => seen.Handled.Count >= 6 && log.Has(LogLevel.Error, $"{poison} has failed at all 4 tries"));
        await host.StopAsync();
        Assert.Equal(4, seen.Times("ready", poison));
        Assert.Equal("7", await cursors.LoadAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_revocation_ends_the_read_that_it_follows_and_is_told_after_it()
    {
        var batch = server.Batch.BatchId;
        var records = 0;
        var told = new TaskCompletionSource();
        seen.Handle = async (context, cancellationToken) =>
        {
            await foreach (var _ in context.ReadRecordsAsync(cancellationToken))
            {
                records++;
                await told.Task;
            }
        };
        Publish(TestEvents.Ready(batch));
        using var host = await ListenAsync();
        await Deadline.UntilAsync(() => records == 1);

        Publish(TestEvents.Revoked(batch));
        await Deadline.UntilAsync(() => log.Has(LogLevel.Information, $"{batch} is revoked"));
        told.SetResult();

        await Deadline.UntilAsync(() => seen.Times("revoked", batch) >= 1);
        await host.StopAsync();
        Assert.Equal(1, records);
        Assert.Equal([$"ready {batch}", $"revoked {batch}"], seen.Calls);
        Assert.IsType<BatchRevokedException>(Assert.Single(seen.Failures));
    }

    [Fact]
    public async Task An_event_that_contradicts_itself_is_passed_over_with_an_error()
    {
        Publish(TestEvents.Ready() with { Subject = BatchId.New().ToString() });
        Publish(1);

        using var host = await ListenAsync();

        await Deadline.UntilAsync(() => !seen.Handled.IsEmpty && log.Has(LogLevel.Error, "contradicts itself"));
        await host.StopAsync();
    }

    [Fact]
    public async Task An_expired_cursor_stops_the_host_that_asks_for_it()
    {
        await cursors.SaveAsync("1", CancellationToken.None);
        Publish(5);
        oldest = 3;

        using var host = await ListenAsync(options => options.WhenCursorExpired = ExpiredCursor.Stop);

        await host.WaitForShutdownAsync().WaitAsync(TimeSpan.FromMinutes(2));
        Assert.True(log.Has(LogLevel.Error, "The cursor has expired"));
        Assert.Empty(seen.Calls);
    }

    [Fact]
    public async Task An_expired_cursor_is_followed_by_a_start_from_the_oldest()
    {
        await cursors.SaveAsync("1", CancellationToken.None);
        Publish(5);
        oldest = 3;

        using var host = await ListenAsync();

        await Deadline.UntilAsync(() => seen.Handled.Count >= 2);
        await host.StopAsync();
        Assert.True(log.Has(LogLevel.Error, "The cursor has expired"));
    }

    [Fact]
    public async Task A_store_that_breaks_does_not_stop_the_host_and_listening_begins_again()
    {
        Publish(3);
        cursors.Load = _ => cursors.Loads <= 2 ? throw new UnreachableException() : Task.CompletedTask;

        using var host = await ListenAsync();

        await Deadline.UntilAsync(() => seen.Handled.Count >= 3);
        Assert.True(log.Has(LogLevel.Error, "FeedListener broke, and begins again"));
        Assert.True(log.Has(LogLevel.Error, nameof(WatchedCursorStore.LoadAsync)));
        await host.StopAsync();
    }

    private static BatchId Id(string subject) =>
        BatchId.TryParse(subject, out var id) ? id : throw new ArgumentException("Not an id.", nameof(subject));

    private List<string> Publish(int count)
    {
        var events = Enumerable.Range(0, count).Select(_ => TestEvents.Ready()).ToList();
        Publish([.. events]);
        return [.. events.Select(each => each.Subject)];
    }

    private void Publish(params BulkEvent[] events)
    {
        lock (feed)
            feed.AddRange(events);
    }

    // Pages of three, as the contract has them; a cursor is a place.
    private IResult Feed(HttpContext context)
    {
        var after = context.Request.Query["after"].ToString();
        var position = after.Length == 0 ? oldest : int.Parse(after);
        if (position < oldest)
            return StagingServer.Problem(410, ProblemCodes.CursorExpired);
        lock (feed)
        {
            var items = feed.Skip(position).Take(3).ToList();
            return Results.Json(new Page<BulkEvent>(items, $"{position + items.Count}"), ClaimCheckJson.Options);
        }
    }

    private async Task<IHost> ListenAsync(Action<FeedListenerOptions>? configure = null)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(log);
        builder.Services.AddSingleton(seen);
        builder.Services.AddClaimCheckConsumer(options => options.Service = new Uri(server.Address))
            .AddFeedListener<TestHandler>(cursors, options =>
            {
                options.RetryDelay = TimeSpan.FromMilliseconds(10);
                configure?.Invoke(options);
            });
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }
}
