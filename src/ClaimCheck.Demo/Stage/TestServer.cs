namespace ClaimCheck.Demo.Stage;

/// <summary>A server that a script of infra/test-servers starts and stops. It also ends when this process is killed.</summary>
internal sealed class TestServer(string script, string folder)
{
    private readonly string path = Path.Combine(Scripts(), script);

    /// <summary>Starts it; must not be interrupted halfway, so it takes no token.</summary>
    /// <param name="watchVariable">The script's variable with the process that the server must not outlive.</param>
    /// <returns>The environment that reaches it.</returns>
    public async Task<Dictionary<string, string>> UpAsync(string watchVariable)
    {
        var (exitCode, output, errors) = await RunAsync("up", (watchVariable, $"{Environment.ProcessId}"));
        if (exitCode != 0)
            throw new DemoException($"{script} did not start its server: {errors.Trim()}");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => pair[1]);
    }

    public async Task DownAsync()
    {
        if (await RunAsync("down") is { ExitCode: not 0 } failed)
            Console.Error.WriteLine($"{script} could not stop its server: {failed.Errors.Trim()}");
    }

    private async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string verb, params (string Name, string Value)[] environment)
    {
        // A session of its own: Ctrl-C is for this process, which then stops the server itself.
        string[] command = OperatingSystem.IsLinux() ? ["setsid", path, verb, folder] : [path, verb, folder];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start) ?? throw new DemoException($"{path} could not be started.");
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }

    private static string Scripts()
    {
        if (Environment.GetEnvironmentVariable("CLAIMCHECK_TEST_SERVERS") is { Length: > 0 } named)
            return named;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ClaimCheck.sln")))
                return Path.Combine(folder.FullName, "infra", "test-servers");
        }
        throw new DemoException(
            "The servers' scripts (infra/test-servers) are not found: run ./dev demo --aws, or set AWS_ENDPOINT_URL.");
    }
}
