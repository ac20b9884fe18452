using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace ClaimCheck.Import.Tests;

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
    // Beside the tests it would miss what their web framework brings along.
    private static readonly string Tool = Path.Combine(
        AppContext.BaseDirectory.Replace($"tests{Path.DirectorySeparatorChar}ClaimCheck.Import.Tests",
            $"src{Path.DirectorySeparatorChar}ClaimCheck.Cli", StringComparison.Ordinal),
        "claimcheck.dll");

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder errors = new();

    private ToolProcess(Process process) => this.process = process;

    public string Output => Read(output);

    public string Errors => Read(errors);

    public bool HasExited => process.HasExited;

    /// <summary>The most memory that it has had resident, in bytes.</summary>
    public long PeakBytes
    {
        get
        {
            process.Refresh();
            return process.PeakWorkingSet64;
        }
    }

    public static ToolProcess Start(params string[] arguments) =>
        Start(new Dictionary<string, string>(StringComparer.Ordinal), arguments);

    /// <param name="environment">In addition to an environment without any setting of the tool.</param>
    /// <param name="arguments">The command line.</param>
    public static ToolProcess Start(IReadOnlyDictionary<string, string> environment, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Tool, .. arguments])
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
        var tool = new ToolProcess(Process.Start(start)!);
        tool.process.OutputDataReceived += (_, line) => Append(tool.output, line.Data);
        tool.process.ErrorDataReceived += (_, line) => Append(tool.errors, line.Data);
        tool.process.BeginOutputReadLine();
        tool.process.BeginErrorReadLine();
        tool.process.StandardInput.Close();
        return tool;
    }

    public async Task<ToolResult> EndAsync()
    {
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        return new(process.ExitCode, Output, Errors);
    }

    public void Kill() => process.Kill();

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
