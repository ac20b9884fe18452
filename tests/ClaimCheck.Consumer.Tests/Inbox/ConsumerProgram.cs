using ClaimCheck.Consumer.Tests.Handling;
using Microsoft.Extensions.Hosting;

namespace ClaimCheck.Consumer.Tests.Inbox;

/// <summary>
/// A consumer in a process of its own, for tests that kill or pause it: applies the batch, and at one place says so and waits for
/// a line, with its effects written and not committed.
/// </summary>
internal static class ConsumerProgram
{
    private static async Task<int> Main(string[] arguments)
    {
        if (arguments is not ["consume", var service, var database, var lease, var hold])
            return 64;
        var doing = new Doing<Order>
        {
            Handle = async (chunk, cancellationToken) =>
            {
                await RecordScene.ApplyAsync(chunk, cancellationToken);
                if (chunk.Start.Records != long.Parse(hold))
                    return;
                await Console.Out.WriteLineAsync("holding");
                // whatever it is told otherwise: as a paused process would
                await Task.Run(Console.In.ReadLine, CancellationToken.None);
            },
        };
        using var host = RecordScene.Build(service, database, doing, inbox: options => options.Lease = TimeSpan.Parse(lease));
        await host.RunAsync();
        return 0;
    }
}
