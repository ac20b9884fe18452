using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace ClaimCheck.Cli.Tests;

/// <summary>What a run of the tool ended with.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Errors)
{
    public JsonNode Json => JsonNode.Parse(Output)!;

    public IReadOnlyList<JsonNode> JsonLines =>
        [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];

    /// <summary>Fails with everything that was said.</summary>
    public ToolResult Exits(int code)
    {
        Assert.True(ExitCode == code, $"Exit code {ExitCode}, not {code}.\n{Output}\n{Errors}");
        return this;
    }
}

/// <summary>The tool as a process of its own, as a person or a script runs it.</summary>
internal sealed class ToolProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder errors = new();

    private ToolProcess(Process process) => this.process = process;

    public string Output => Read(output);

    public string Errors => Read(errors);

    /// <param name="environment">In addition to an environment without any setting of the tool.</param>
    /// <param name="arguments">The command line.</param>
    public static ToolProcess Start(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        // Tests that run in a shell's background ignore SIGINT, and would hand that down; at a terminal it is not ignored.
        string[] tool = ["dotnet", Path.Combine(AppContext.BaseDirectory, "claimcheck.dll"), .. arguments];
        string[] command = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT", .. tool] : tool;
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var name in start.Environment.Keys
            .Where(name => name.StartsWith("CLAIMCHECK_", StringComparison.Ordinal) && name != "CLAIMCHECK_RUN").ToList())
            start.Environment.Remove(name);
        start.Environment["XDG_CONFIG_HOME"] = "/nonexistent";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var started = new ToolProcess(Process.Start(start)!);
        started.process.OutputDataReceived += (_, line) => Append(started.output, line.Data);
        started.process.ErrorDataReceived += (_, line) => Append(started.errors, line.Data);
        started.process.BeginOutputReadLine();
        started.process.BeginErrorReadLine();
        started.process.StandardInput.Close();
        return started;
    }

    public async Task<ToolResult> EndAsync()
    {
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        return new(process.ExitCode, Output, Errors);
    }

    public void Kill() => process.Kill();

    public void Interrupt()
    {
        using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        kill.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        process.Dispose();
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is null)
            return;
        lock (text)
            text.Append(line).Append('\n');
    }

    private static string Read(StringBuilder text)
    {
        lock (text)
            return text.ToString();
    }
}
