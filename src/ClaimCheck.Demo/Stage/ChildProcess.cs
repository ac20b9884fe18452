using System.Collections;
using System.Globalization;
using System.Text.RegularExpressions;

namespace ClaimCheck.Demo.Stage;

/// <summary>A web server as a child process, on a port of its own choosing, with its output in a file.</summary>
internal sealed partial class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly Process process;
    private readonly string name;
    private readonly StreamWriter log;
    private readonly TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChildProcess(ProcessStartInfo start, string name, string logFile)
    {
        this.name = name;
        log = new StreamWriter(logFile) { AutoFlush = true };
        process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Write(line.Data);
        process.ErrorDataReceived += (_, line) => Write(line.Data);
        process.Exited += (_, _) =>
            listening.TrySetException(new DemoException($"The {name} ended with code {process.ExitCode}."));
    }

    /// <param name="name">Its name for people.</param>
    /// <param name="binary">Its DLL.</param>
    /// <param name="folder">Its working directory; its output goes to a file in it.</param>
    /// <param name="logFile">That file.</param>
    /// <param name="arguments">Beside the address that it listens on.</param>
    /// <param name="settings">Additional environment variables; null removes one.</param>
    public static ChildProcess Start(
        string name, string binary, string folder, string logFile, IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?> settings)
    {
        var start = new ProcessStartInfo("dotnet", [binary, "--urls", "http://127.0.0.1:0", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = folder,
        };
        // This machine may be configured for other uses: its database and buckets must not appear in a demo.
        string[] foreign = ["ClaimCheck__", "ConnectionStrings__", "Adapter__", "ASPNETCORE_", "Logging__", "DOTNET_URLS"];
        foreach (var variable in Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(each => (string)each.Key)
                     .Where(variable => foreign.Any(prefix => variable.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))))
        {
            start.Environment.Remove(variable);
        }
        foreach (var (variable, value) in settings)
            start.Environment[variable] = value;
        // The line with the port.
        start.Environment["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information";
        var child = new ChildProcess(start, name, logFile);
        child.process.Start();
        child.process.BeginOutputReadLine();
        child.process.BeginErrorReadLine();
        child.process.StandardInput.Close();
        return child;
    }

    /// <summary>The address that it listens on, once it does.</summary>
    public async Task<Uri> ListeningAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await listening.Task.WaitAsync(Patience, cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new DemoException($"The {name} did not listen within {Patience.TotalSeconds} seconds.", e);
        }
    }

    /// <summary>Waits until <c>/health/ready</c> says so.</summary>
    public async Task ReadyAsync(HttpClient http, Uri address, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (process.HasExited)
                throw new DemoException($"The {name} ended with code {process.ExitCode}.");
            if (watch.Elapsed > Patience)
                throw new DemoException($"The {name} was not ready within {Patience.TotalSeconds} seconds.");
            try
            {
                using var answer = await http.GetAsync(new Uri(address, "health/ready"), cancellationToken);
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }
            await Task.Delay(100, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Signals.StopAsync(process, TimeSpan.FromSeconds(20));
        process.Dispose();
        lock (log)
            log.Dispose();
    }

    private void Write(string? line)
    {
        if (line is null)
            return;
        lock (log)
        {
            if (log.BaseStream.CanWrite)
                log.WriteLine(line);
        }
        if (Listening().Match(line) is { Success: true } match)
            listening.TrySetResult(
                new Uri($"http://127.0.0.1:{int.Parse(match.Groups["port"].Value, CultureInfo.InvariantCulture)}/"));
    }

    [GeneratedRegex(@"listening on:? ?""?http://127\.0\.0\.1:(?<port>\d+)",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Listening();
}
