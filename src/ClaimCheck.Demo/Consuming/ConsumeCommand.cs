using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Demo.Consuming;

/// <summary>
/// The consumer's process: a host with a listener. It ends when it is told to, or when its parent process is gone.
/// </summary>
internal static class ConsumeCommand
{
    public const string Verb = "consume";

    public static IReadOnlyList<string> Arguments(string queueUrl, Uri service, string linkHost) =>
        [Verb, "--queue", queueUrl, "--service", service.ToString(), "--link-host", linkHost];

    public static async Task<int> RunAsync(string[] args)
    {
        if (args is not ["--queue", var queueUrl, "--service", var service, "--link-host", var linkHost])
        {
            await Console.Error.WriteLineAsync($"{Verb} takes --queue URL --service URL --link-host HOST, in this order.");
            return 2;
        }
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        // Its output is for the demo; its log is not.
        builder.Logging.AddConsole(options => options.LogToStandardErrorThreshold = LogLevel.Trace)
            .SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services
            .AddClaimCheckConsumer(options =>
            {
                options.Service = new Uri(service);
                options.AllowedLinkHosts.Add(linkHost);
            })
            .AddSqsListener<OrderHandler>(queueUrl);
        using var host = builder.Build();
        await host.StartAsync();
        Console.WriteLine(new ConsumerLine(ConsumerLine.Words.Listening) { Process = Environment.ProcessId });
        _ = EndWithParentAsync(host.Services.GetRequiredService<IHostApplicationLifetime>());
        await host.WaitForShutdownAsync();
        return 0;
    }

    // The parent holds the other end, and never writes.
    private static async Task EndWithParentAsync(IHostApplicationLifetime lifetime)
    {
        await using var input = Console.OpenStandardInput();
        await input.CopyToAsync(Stream.Null);
        lifetime.StopApplication();
    }
}
