#pragma warning disable CA1050, MA0047 // The runtime looks for a startup hook by this very name, in no namespace.
using ClaimCheck.Service.Tests.Catalog;

/// <summary>Makes this assembly runnable as <see cref="EmbeddedOwner"/>; inert unless the runtime is told to call it.</summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(EmbeddedOwner.DataVariable) is not { } data)
            return;
        EmbeddedOwner.RunAsync(data).GetAwaiter().GetResult();
        Environment.Exit(0);
    }
}
