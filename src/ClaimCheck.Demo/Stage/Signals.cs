using System.Runtime.InteropServices;

namespace ClaimCheck.Demo.Stage;

/// <summary>Asks a process to end. .NET can only kill.</summary>
internal static partial class Signals
{
    private const int Interrupt = 2;
    private const int Terminate = 15;

    public static void SendTerminate(int pid) => _ = Kill(pid, Terminate);

    /// <summary>What Postgres takes for a fast shutdown.</summary>
    public static void SendInterrupt(int pid) => _ = Kill(pid, Interrupt);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
