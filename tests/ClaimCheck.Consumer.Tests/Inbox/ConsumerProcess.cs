using System.Diagnostics;
using ClaimCheck.Consumer.Tests.Handling;

namespace ClaimCheck.Consumer.Tests.Inbox;

/// <summary>Starts <see cref="ConsumerProgram"/>; it is killed when disposed.</summary>
internal sealed class ConsumerProcess : IDisposable
{
    private readonly Process process;

    private ConsumerProcess(Process process) => this.process = process;

    /// <summary>Starts it, and waits until it holds with effects that are not committed.</summary>
    public static async Task<ConsumerProcess> HoldingAsync(RecordScene scene, TimeSpan lease, long at)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach (var argument in new[] { "exec", typeof(ConsumerProgram).Assembly.Location, "consume",
            scene.Service.Server.Address, scene.Database, $"{lease}", $"{at}" })
            start.ArgumentList.Add(argument);
        var consumer = new ConsumerProcess(Process.Start(start)!);
        while (await consumer.process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2)) is { } line)
        {
            if (line == "holding")
                return consumer;
        }
        throw new InvalidOperationException($"The consumer ended with {consumer.process.ExitCode} before it held.");
    }

    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public Task PauseAsync() => SignalAsync("STOP");

    /// <summary>Lets it continue, and its handler return.</summary>
    public async Task ResumeAsync()
    {
        await SignalAsync("CONT");
        await process.StandardInput.WriteLineAsync();
        await process.StandardInput.FlushAsync();
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }
}
