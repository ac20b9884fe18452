using System.Diagnostics;
using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using ClaimCheck.Consumer.Listening;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Service.Tests.House;

/// <summary>No background loop stops its host, whatever it throws; and every one runs in the guard that sees to it.</summary>
[Trait("needs", "nothing")]
public sealed partial class A_background_loop
{
    [Fact]
    public async Task A_loop_that_throws_is_logged_with_its_stack_and_begins_again_ever_later()
    {
        var (time, log) = (new ImpatientTime(), new Lines());
        using var stop = new CancellationTokenSource();
        var rounds = 0;
        await BackgroundLoop.RunAsync("A loop", token => ++rounds switch
        {
            <= 7 => BreakAsync(),
            _ => StopAsync(stop, token),
        }, log, time, stop.Token);

        Assert.Equal(8, rounds);
        Assert.Equal(7, log.All.Count(
            line => line.Level == LogLevel.Error && line.Text.Contains("A loop broke", StringComparison.Ordinal)));
        Assert.All(log.All, line => Assert.Contains(nameof(BreakAsync), line.Exception!.StackTrace, StringComparison.Ordinal));
        Assert.All(time.Waits.Zip([1, 2, 4, 8, 16, 30, 30]), wait =>
            Assert.InRange(wait.First.TotalSeconds, wait.Second / 2.0, wait.Second));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stop_ends_it_at_once_whatever_it_throws(bool whileItPauses)
    {
        using var stop = new CancellationTokenSource();
        var broke = new TaskCompletionSource();
        var loop = BackgroundLoop.RunAsync("A loop", async token =>
        {
            broke.TrySetResult();
            if (!whileItPauses)
                await Task.Delay(Timeout.Infinite, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw new InvalidOperationException("It broke.");
        }, new Lines(), stop.Token);
        await broke.Task;

        await stop.CancelAsync();

        await loop.WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_loop_that_has_nothing_to_do_ends() =>
        await BackgroundLoop.RunAsync("A loop", _ => Task.CompletedTask, new Lines(), CancellationToken.None);

    // In all projects, those that run in other people's processes too.
    [Fact]
    public void Every_background_service_runs_in_the_guard_and_does_nothing_outside_it()
    {
        var services = Repository.Sources
            .Where(source => source.Key.StartsWith("src/", StringComparison.Ordinal) && Service().IsMatch(source.Value)).ToList();
        Assert.True(services.Count >= 21, $"There are {services.Count} background services.");
        Assert.All(services, source => Assert.True(
            Guarded().Count(source.Value) == 1 && Executes().Count(source.Value) == 1,
            $"{source.Key}: ExecuteAsync is to be => BackgroundLoop.RunAsync(...), and nothing else."));
        // An IHostedService that is not a BackgroundService would have a loop of its own.
        Assert.DoesNotContain(Repository.Sources, source =>
            source.Key.StartsWith("src/", StringComparison.Ordinal) && OtherService().IsMatch(source.Value));
    }

    private static async Task BreakAsync()
    {
        await Task.Yield();
        throw new UnreachableException();
    }

    private static async Task StopAsync(CancellationTokenSource stop, CancellationToken token)
    {
        await stop.CancelAsync();
        token.ThrowIfCancellationRequested();
    }

    [GeneratedRegex(@"[:,]\s*BackgroundService\b", RegexOptions.None, 5000)]
    private static partial Regex Service();

    [GeneratedRegex(@"[:,]\s*(IHostedService|IHostedLifecycleService)\b(?!>)", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex OtherService();

    [GeneratedRegex(@"protected override (async )?Task ExecuteAsync\(", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Executes();

    [GeneratedRegex(@"protected override Task ExecuteAsync\(CancellationToken stoppingToken\) =>\s*BackgroundLoop\.RunAsync\(",
        RegexOptions.None, 5000)]
    private static partial Regex Guarded();

    /// <summary>Waits pass at once, and are remembered.</summary>
    private sealed class ImpatientTime : TimeProvider
    {
        public ConcurrentQueue<TimeSpan> Waits { get; } = new();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waits.Enqueue(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }

    private sealed class Lines : ILogger
    {
        public ConcurrentQueue<(LogLevel Level, string Text, Exception? Exception)> All { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            All.Enqueue((logLevel, formatter(state, exception), exception));
    }
}
