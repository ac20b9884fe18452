using System.Text.Json;
using ClaimCheck.Consumer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

/// <summary>What a consumer's process is started with.</summary>
internal sealed record ConsumerSetup
{
    public required Uri Service { get; init; }

    public required string Consumer { get; init; }

    /// <summary>The inbox, and the tables of <see cref="LabConsumer"/>.</summary>
    public required string Database { get; init; }

    /// <summary>Null follows the feed.</summary>
    public string? QueueUrl { get; init; }

    /// <summary>Where links lead to.</summary>
    public required string[] LinkHosts { get; init; }

    public int ChunkSize { get; init; } = 10;

    public TimeSpan Visibility { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Between two looks at a batch's state, for a consumer that no event told.</summary>
    public TimeSpan StateCheck { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What each chunk takes.</summary>
    public TimeSpan Pause { get; init; }
}

/// <summary>A consumer in a process of its own, as one would write it, for tests that kill or pause it.</summary>
internal static class ConsumerProgram
{
    private static async Task<int> Main(string[] arguments)
    {
        if (arguments is not ["consume", var json])
            return 64;
        var setup = JsonSerializer.Deserialize<ConsumerSetup>(json)!;
        EndWithParent();
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddFilter("Npgsql", LogLevel.None)
            .AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.AddSingleton(setup);
        var consumer = builder.Services.AddClaimCheckConsumer(options =>
            {
                options.Service = setup.Service;
                options.Consumer = setup.Consumer;
                options.StateCheckInterval = setup.StateCheck;
                foreach (var host in setup.LinkHosts)
                    options.AllowedLinkHosts.Add(host);
            })
            .UseInbox(setup.Database, options =>
            {
                options.Lease = setup.Lease;
                options.ReceiptRetryDelay = TimeSpan.FromMilliseconds(50);
                options.MaxReceiptRetryDelay = TimeSpan.FromSeconds(1);
            });
        if (setup.QueueUrl is { } queue)
            consumer.AddSqsRecords<Item, ItemHandler>(
                queue, records => records.ChunkSize = setup.ChunkSize, listen => Listen(listen, setup));
        else
            consumer.AddFeedRecords<Item, ItemHandler>(
                records => records.ChunkSize = setup.ChunkSize, listen => listen.RetryDelay = TimeSpan.FromMilliseconds(100));
        using var host = builder.Build();
        await host.RunAsync();
        return 0;
    }

    private static void Listen(SqsListenerOptions listen, ConsumerSetup setup)
    {
        listen.PollTime = TimeSpan.FromSeconds(1);
        listen.Visibility = setup.Visibility;
        listen.Heartbeat = setup.Visibility / 4;
        listen.RetryDelay = TimeSpan.Zero;
        listen.MaxRetryDelay = TimeSpan.Zero;
    }

    // The end of its input is the end of the test's process, whatever ended that.
    private static void EndWithParent() => new Thread(() =>
    {
        while (Console.In.ReadLine() is not null)
        {
            // Nothing is said to it.
        }
        Environment.Exit(1);
    })
    { IsBackground = true }.Start();
}

internal sealed record Item(long Id, string? Name);
