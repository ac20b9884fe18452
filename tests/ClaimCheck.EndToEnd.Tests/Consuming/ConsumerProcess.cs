using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

/// <summary>Runs <see cref="ConsumerProgram"/>; killed when disposed.</summary>
internal sealed class ConsumerProcess : IDisposable
{
    private readonly Process process;
    private readonly ConcurrentQueue<string> lines = new();

    private ConsumerProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => lines.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => lines.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>All it wrote so far.</summary>
    public string Log => string.Join('\n', lines);

    public bool HasExited => process.HasExited;

    public static ConsumerProcess Start(ConsumerSetup setup, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument
            in new[] { "exec", typeof(ConsumerProgram).Assembly.Location, "consume", JsonSerializer.Serialize(setup) })
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new ConsumerProcess(Process.Start(start)!);
    }

    /// <summary>How many lines of its log hold a text.</summary>
    public int Said(string text) => lines.Count(line => line.Contains(text, StringComparison.Ordinal));

    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public Task PauseAsync() => SignalAsync("STOP");

    public Task ResumeAsync() => SignalAsync("CONT");

    /// <summary>SIGTERM, and waits for the end.</summary>
    public async Task StopAsync()
    {
        await SignalAsync("TERM");
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        Assert.Equal(0, process.ExitCode);
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }
}
