using System.Runtime.InteropServices;

namespace ClaimCheck.Demo.Stage;

/// <summary>Asks a process to end. .NET can only kill.</summary>
internal static partial class Signals
{
    private const int Interrupt = 2;
    private const int Terminate = 15;

    /// <summary>Asks it to end, waits, and kills it where it has not ended by then.</summary>
    public static async Task StopAsync(Process process, TimeSpan patience)
    {
        if (process.HasExited)
            return;
        _ = Kill(process.Id, Terminate);
        using var limit = new CancellationTokenSource(patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    /// <summary>What Postgres takes for a fast shutdown.</summary>
    public static void SendInterrupt(int pid) => _ = Kill(pid, Interrupt);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
