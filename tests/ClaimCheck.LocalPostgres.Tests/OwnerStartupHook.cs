#pragma warning disable CA1050, MA0047 // The runtime looks for a startup hook by this very name, in no namespace.
using ClaimCheck.LocalPostgres.Tests;

/// <summary>Makes this assembly runnable as <see cref="OwnerProcess"/>; inert unless the runtime is told to call it.</summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(OwnerProcess.DataVariable) is not { } data)
            return;
        OwnerProcess.RunAsync(data).GetAwaiter().GetResult();
        Environment.Exit(0);
    }
}
