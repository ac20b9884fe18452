using System.Collections;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace ClaimCheck.Demo.Stage;

/// <summary>The service as a child process, on a port of its own choosing and a data directory that goes with it.</summary>
internal sealed partial class ServiceProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly Process process;
    private readonly DemoFolder folder;
    private readonly StreamWriter log;
    private readonly TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServiceProcess(Process process, DemoFolder folder)
    {
        this.process = process;
        this.folder = folder;
        log = new StreamWriter(folder.Log) { AutoFlush = true };
        process.OutputDataReceived += (_, line) => Write(line.Data);
        process.ErrorDataReceived += (_, line) => Write(line.Data);
        process.Exited += (_, _) => listening.TrySetException(new DemoException($"The service ended with code {process.ExitCode}."));
    }

    /// <summary>Holds a connection string of the sample database, for its owner's eyes.</summary>
    public string SampleConnectionFile => Path.Combine(folder.Path, "sample-connection");

    /// <param name="settings">What it has in its environment beside this process's; null removes.</param>
    public static ServiceProcess Start(IReadOnlyDictionary<string, string?>? settings = null)
    {
        var binary = ServiceBinary.Find();
        var data = new DemoFolder();
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = data.Path,
        };
        start.ArgumentList.Add(binary);
        start.ArgumentList.Add("--urls");
        start.ArgumentList.Add("http://127.0.0.1:0");
        // What this machine is configured for is another service: its database and buckets are not shown around.
        foreach (var name in Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(each => (string)each.Key))
        {
            if (name.StartsWith("ClaimCheck__", StringComparison.OrdinalIgnoreCase)
                || name.StartsWith("ConnectionStrings__", StringComparison.OrdinalIgnoreCase)
                || name.StartsWith("ASPNETCORE_", StringComparison.OrdinalIgnoreCase)
                || name.StartsWith("Logging__", StringComparison.OrdinalIgnoreCase)
                || name.StartsWith("DOTNET_URLS", StringComparison.OrdinalIgnoreCase))
                start.Environment.Remove(name);
        }
        start.Environment["ClaimCheck__DataDirectory"] = data.Path;
        foreach (var (name, value) in settings ?? new Dictionary<string, string?>())
            start.Environment[name] = value;
        // The line that names the port.
        start.Environment["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information";
        var service = new ServiceProcess(new Process { StartInfo = start, EnableRaisingEvents = true }, data);
        service.process.Start();
        service.process.BeginOutputReadLine();
        service.process.BeginErrorReadLine();
        service.process.StandardInput.Close();
        return service;
    }

    /// <summary>The address that it listens on, once it does. A first start makes a database before.</summary>
    public async Task<Uri> ListeningAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await listening.Task.WaitAsync(Patience, cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new DemoException($"The service did not listen within {Patience.TotalSeconds} seconds.", e);
        }
    }

    /// <summary>Waits until <c>/health/ready</c> says so.</summary>
    public async Task ReadyAsync(HttpClient http, Uri address, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (process.HasExited)
                throw new DemoException($"The service ended with code {process.ExitCode}.");
            if (watch.Elapsed > Patience)
                throw new DemoException($"The service was not ready within {Patience.TotalSeconds} seconds.");
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

    /// <summary>Where the log stays when the folder goes.</summary>
    public string KeepLog() => folder.KeepLog();

    /// <summary>Stops it, and its database, whatever happened; then removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        await Signals.StopAsync(process, TimeSpan.FromSeconds(20));
        process.Dispose();
        lock (log)
            log.Dispose();
        await folder.RemoveAsync();
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
            listening.TrySetResult(new Uri($"http://127.0.0.1:{int.Parse(match.Groups["port"].Value, CultureInfo.InvariantCulture)}/"));
    }

    [GeneratedRegex(@"listening on:? ?""?http://127\.0\.0\.1:(?<port>\d+)", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Listening();
}
