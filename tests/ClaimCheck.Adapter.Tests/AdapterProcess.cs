using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ClaimCheck.Adapter.Tests;

/// <summary>The adapter as a process of its own, on a free loopback port. It can really be killed. Whatever ends the test
/// process ends it too.</summary>
internal sealed partial class AdapterProcess : IAsyncDisposable
{
    private readonly Process guard;
    private readonly ConcurrentQueue<string> lines = new();
    private readonly TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private AdapterProcess(Process guard) => this.guard = guard;

    public Uri Address { get; private set; } = new("http://invalid/");

    public string Log => string.Join('\n', lines);

    public int ExitCode => guard.ExitCode;

    public int Pid { get; private set; }

    /// <summary>Starts it and waits until it listens.</summary>
    public static Task<AdapterProcess> StartAsync(IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        StartAsync(environment, [], arguments);

    /// <param name="environment">Variables of its own.</param>
    /// <param name="within">A command that becomes the adapter, given as its last arguments.</param>
    /// <param name="arguments">The adapter's.</param>
    public static async Task<AdapterProcess> StartAsync(
        IReadOnlyDictionary<string, string> environment, string[] within, string[] arguments)
    {
        var adapter = await LaunchAsync(environment, within, ["--urls", "http://127.0.0.1:0", .. arguments]);
        try
        {
            var ended = adapter.guard.WaitForExitAsync();
            if (await Task.WhenAny(adapter.listening.Task, ended).WaitAsync(TimeSpan.FromMinutes(2)) == ended)
                throw new InvalidOperationException(
                    $"The adapter ended with {adapter.ExitCode} before it listened:\n{adapter.Log}");
            adapter.Address = await adapter.listening.Task;
            return adapter;
        }
        catch
        {
            await adapter.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it where it is expected to end by itself, and waits for that.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        await using var adapter = await LaunchAsync(environment, [], arguments);
        await adapter.guard.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return (adapter.ExitCode, adapter.Log);
    }

    /// <summary>SIGKILL: it gets to do nothing more.</summary>
    public async Task KillAsync()
    {
        Signal("KILL");
        await guard.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
    }

    /// <summary>SIGTERM, and waits for the end.</summary>
    public async Task<int> StopAsync()
    {
        Signal("TERM");
        await guard.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return ExitCode;
    }

    public HttpClient NewHttp() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false })
    {
        BaseAddress = Address,
        Timeout = TimeSpan.FromMinutes(2),
    };

    public async ValueTask DisposeAsync()
    {
        if (!guard.HasExited)
        {
            guard.StandardInput.Close(); // the guard stops the adapter
            try
            {
                await guard.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(40));
            }
            catch (TimeoutException)
            {
                Signal("KILL");
            }
        }

        guard.Dispose();
    }

    private static async Task<AdapterProcess> LaunchAsync(
        IReadOnlyDictionary<string, string> environment, string[] within, string[] arguments)
    {
        // The shell waits for the end of its input, which is the end of the test process, and then stops the adapter; or for the
        // adapter's own end, whose exit code it hands on.
        const string script = """
            exec 3<&0
            "$@" </dev/null &
            adapter=$!
            echo "pid $adapter"
            { cat >/dev/null; kill -TERM $adapter; sleep 25; kill -KILL $adapter; } <&3 >/dev/null 2>&1 &
            watch=$!
            wait $adapter
            code=$?
            kill $watch 2>/dev/null
            exit $code
            """;
        var start = new ProcessStartInfo("sh", ["-c", script, "sh", .. within, "dotnet",
            Path.Combine(AppContext.BaseDirectory, "ClaimCheck.Adapter.dll"), .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("Adapter__", StringComparison.Ordinal))
            .ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var adapter = new AdapterProcess(
            Process.Start(start) ?? throw new InvalidOperationException("No shell could be started."));
        adapter.guard.OutputDataReceived += (_, line) => adapter.Heard(line.Data);
        adapter.guard.ErrorDataReceived += (_, line) => adapter.Heard(line.Data);
        adapter.guard.BeginOutputReadLine();
        adapter.guard.BeginErrorReadLine();
        adapter.Pid = await adapter.started.Task.WaitAsync(TimeSpan.FromMinutes(1));
        return adapter;
    }

    private void Heard(string? line)
    {
        if (line is null)
            return;
        if (line.StartsWith("pid ", StringComparison.Ordinal) && !started.Task.IsCompleted)
        {
            started.TrySetResult(int.Parse(line[4..]));
            return;
        }

        lines.Enqueue(line);
        if (ListeningLine().Match(line) is { Success: true } match)
            listening.TrySetResult(new Uri(match.Groups["address"].Value));
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{Pid}"]);
        kill.WaitForExit();
    }

    [GeneratedRegex(@"Now listening on: (?<address>http://\S+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ListeningLine();
}
