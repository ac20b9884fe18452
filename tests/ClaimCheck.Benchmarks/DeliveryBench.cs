using System.Collections.Concurrent;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace ClaimCheck.Benchmarks;

/// <summary>How long it takes from the commit of ready to the consumer's handler, over SNS and SQS on the emulator.</summary>
internal static class DeliveryBench
{
    private const int Exports = 40;
    private static readonly TimeSpan AtMost = TimeSpan.FromMilliseconds(100);

    public static async Task<IReadOnlyList<Figure>> RunAsync(ExportLab lab)
    {
        var servers = await QueueEndpoint.GetAsync();
        var topic = await servers.NewTopicAsync();
        var queue = await servers.NewQueueAsync(topic);
        await using var service = await lab.StartServiceAsync(
            [.. servers.Environment, new("ClaimCheck__Publishing__TopicArn", topic)]);
        var handled = new Handled();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(handled);
        builder.Services
            .AddClaimCheckConsumer(options =>
            {
                options.Service = service.Address;
                options.Aws = servers.OptionsFor(servers.SqsUrl);
            })
            .AddSqsListener<Handler>(queue.Url);
        using var host = builder.Build();
        await host.StartAsync();

        var delays = new List<double>();
        for (var i = 0; i < Exports; i++)
        {
            var export = await ExportLab.AskAsync(service, orders: 10, "csv", "gzip");
            var at = await handled.WaitAsync(export.BatchId);
            if (i >= Exports / 10) // the first ones warm up
                delays.Add((at - export.ReadyAt!.Value).TotalMilliseconds);
        }

        await host.StopAsync();
        var median = Figure.Median(delays);
        AnsiConsole.MarkupLineInterpolated(
            $"[grey]ready to handler: least {delays.Min():0} ms, median {median:0} ms, most {delays.Max():0} ms, {delays.Count} exports[/]");
        return [new("ready to the handler, over SNS and SQS", $"{median:0} ms", "", "",
            $"at most {AtMost.TotalMilliseconds:0} ms", median <= AtMost.TotalMilliseconds)];
    }

    private sealed class Handled
    {
        private readonly ConcurrentDictionary<BatchId, TaskCompletionSource<DateTimeOffset>> batches = new();

        public void Note(BatchId batch) => Of(batch).TrySetResult(TimeProvider.System.GetUtcNow());

        public Task<DateTimeOffset> WaitAsync(BatchId batch) => Of(batch).Task.WaitAsync(TimeSpan.FromSeconds(60));

        private TaskCompletionSource<DateTimeOffset> Of(BatchId batch) =>
            batches.GetOrAdd(
                batch, _ => new TaskCompletionSource<DateTimeOffset>(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    private sealed class Handler(Handled handled) : IBatchHandler
    {
        public Task HandleAsync(BatchContext batch, CancellationToken cancellationToken)
        {
            handled.Note(batch.BatchId);
            return Task.CompletedTask;
        }
    }
}
