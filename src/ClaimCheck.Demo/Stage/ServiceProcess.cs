using Npgsql;

namespace ClaimCheck.Demo.Stage;

/// <summary>The service as a child process, with a data directory that is removed with it.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    private readonly ChildProcess process;
    private readonly DemoFolder folder;

    private ServiceProcess(ChildProcess process, DemoFolder folder) => (this.process, this.folder) = (process, folder);

    /// <param name="settings">Additional environment variables; null removes one.</param>
    public static ServiceProcess Start(IReadOnlyDictionary<string, string?>? settings = null)
    {
        var binary = BuiltProgram.Find("ClaimCheck.Service");
        var data = new DemoFolder();
        var environment = new Dictionary<string, string?>(settings ?? new Dictionary<string, string?>())
        {
            ["ClaimCheck__DataDirectory"] = data.Path,
        };
        return new ServiceProcess(ChildProcess.Start("service", binary, data.Path, data.Log, [], environment), data);
    }

    /// <summary>A connection string of the sample database, from a file that only its owner can read.</summary>
    public async Task<string> SampleConnectionAsync(CancellationToken cancellationToken)
    {
        var file = Path.Combine(folder.Path, "sample-connection");
        if (!File.Exists(file))
            throw new DemoException("The service left no connection string of the sample database, so nothing can be compared.");
        var text = (await File.ReadAllTextAsync(file, cancellationToken)).Trim();
        return new NpgsqlConnectionStringBuilder(text) { CommandTimeout = 120, Pooling = false }.ConnectionString;
    }

    /// <summary>The address that it listens on, once it does. A first start creates a database before.</summary>
    public Task<Uri> ListeningAsync(CancellationToken cancellationToken) => process.ListeningAsync(cancellationToken);

    /// <summary>Waits until <c>/health/ready</c> says so.</summary>
    public Task ReadyAsync(HttpClient http, Uri address, CancellationToken cancellationToken) =>
        process.ReadyAsync(http, address, cancellationToken);

    /// <summary>Where the log is kept when the folder is removed.</summary>
    public string KeepLog() => folder.KeepLog();

    /// <summary>Stops it, and its database, whatever happened; then removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        await folder.RemoveAsync();
    }
}
