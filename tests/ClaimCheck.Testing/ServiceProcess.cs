using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ClaimCheck.Testing;

/// <summary>
/// The service as a process of its own, as an operator runs it, on a free loopback port. It can really be killed, paused and
/// told to stop. Whatever ends the test process ends it too.
/// </summary>
internal sealed partial class ServiceProcess : IAsyncDisposable
{
    private readonly Process guard;
    private readonly ConcurrentQueue<string> lines = new();
    private readonly TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServiceProcess(Process guard) => this.guard = guard;

    public Uri Address { get; private set; } = new("http://invalid/");

    /// <summary>The service's own process id.</summary>
    public int Pid { get; private set; }

    /// <summary>Everything it has written so far, errors too.</summary>
    public string Log => string.Join('\n', lines);

    public bool HasExited => guard.HasExited;

    public int ExitCode => guard.ExitCode;

    /// <summary>Starts it and waits until it listens.</summary>
    /// <param name="settings">As in the environment: <c>ClaimCheck__Staging__Bucket</c>,
    /// <c>ConnectionStrings__sample</c>.</param>
    /// <param name="port">0 takes a free one; a restarted service can take its old one again.</param>
    /// <param name="launcher">A command that is given the service's own as its last arguments, and becomes it.</param>
    public static async Task<ServiceProcess> StartAsync(
        IReadOnlyDictionary<string, string> settings, int port = 0, params string[] launcher)
    {
        var service = Launch(settings, port, launcher: launcher);
        try
        {
            var ended = service.guard.WaitForExitAsync();
            if (await Task.WhenAny(service.listening.Task, ended).WaitAsync(TimeSpan.FromMinutes(3)) == ended)
                throw new InvalidOperationException(
                    $"The service ended with {service.ExitCode} before it listened:\n{service.Log}");
            service.Address = await service.listening.Task;
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it where it is expected to end by itself, and waits for that.</summary>
    /// <returns>Its exit code and what it wrote.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        IReadOnlyDictionary<string, string> settings, string? urls = null)
    {
        await using var service = Launch(settings, 0, urls);
        await service.guard.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return (service.ExitCode, service.Log);
    }

    /// <summary>SIGKILL: it gets to do nothing more.</summary>
    public async Task KillAsync()
    {
        Signal("KILL");
        await guard.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
    }

    /// <summary>SIGSTOP: it stands still, as in a long pause of a virtual machine.</summary>
    public void Pause() => Signal("STOP");

    /// <summary>SIGCONT.</summary>
    public void Resume() => Signal("CONT");

    /// <summary>SIGHUP: definitions are read again.</summary>
    public void HangUp() => Signal("HUP");

    /// <summary>SIGTERM.</summary>
    public void RequestStop() => Signal("TERM");

    /// <summary>SIGTERM, and waits for the end.</summary>
    public async Task<int> StopAsync()
    {
        RequestStop();
        await guard.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return ExitCode;
    }

    /// <summary>A client of the library, as a consumer or producer uses it.</summary>
    public HttpClient NewHttp() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false })
    {
        BaseAddress = Address,
        Timeout = TimeSpan.FromSeconds(100),
    };

    public async ValueTask DisposeAsync()
    {
        if (!guard.HasExited)
        {
            guard.StandardInput.Close(); // the guard stops the service
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

    private static ServiceProcess Launch(
        IReadOnlyDictionary<string, string> settings, int port, string? urls = null, string[]? launcher = null)
    {
        // The shell waits for the end of its input, which is the end of the test process, and then stops the service;
        // or for the end of the service, whose exit code it hands on. It writes nowhere: its output would be
        // waited for after the end.
        const string script = """
            "$@" </dev/null &
            service=$!
            echo "pid $service"
            { cat >/dev/null; kill -CONT $service; kill -TERM $service; sleep 25; kill -KILL $service; } <&3 >/dev/null 2>&1 &
            watch=$!
            wait $service
            code=$?
            kill $watch 2>/dev/null
            exit $code
            """;
        var start = new ProcessStartInfo
        {
            FileName = "sh",
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var argument in (string[])["-c", "exec 3<&0; " + script, "sh", .. launcher ?? [], "dotnet", Assembly, "--urls",
            urls ?? $"http://127.0.0.1:{port}"])
            start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("ClaimCheck__", StringComparison.Ordinal)
            || name.StartsWith("ConnectionStrings__", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        var shell = Process.Start(start) ?? throw new InvalidOperationException("No shell could be started.");
        var service = new ServiceProcess(shell);
        shell.OutputDataReceived += (_, line) => service.Heard(line.Data);
        shell.ErrorDataReceived += (_, line) => service.Heard(line.Data);
        shell.BeginOutputReadLine();
        shell.BeginErrorReadLine();
        service.Pid = service.started.Task.WaitAsync(TimeSpan.FromMinutes(1)).GetAwaiter().GetResult();
        return service;
    }

    private static string Assembly => Path.Combine(AppContext.BaseDirectory, "ClaimCheck.Service.dll");

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
