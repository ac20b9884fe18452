namespace ClaimCheck.Demo.Stage;

/// <summary>One call of the <c>claimcheck</c> tool.</summary>
internal static class ToolProcess
{
    /// <returns>Its exit code, and what it wrote.</returns>
    public static async Task<(int ExitCode, string Output, string Notes)> RunAsync(
        CancellationToken cancellationToken, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [BuiltProgram.Find("ClaimCheck.Cli", "claimcheck"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start) ?? throw new DemoException("The tool could not be started.");
        try
        {
            var (output, notes) = (process.StandardOutput.ReadToEndAsync(cancellationToken),
                process.StandardError.ReadToEndAsync(cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, await output, await notes);
        }
        finally
        {
            await Signals.StopAsync(process, TimeSpan.FromSeconds(10));
        }
    }
}
