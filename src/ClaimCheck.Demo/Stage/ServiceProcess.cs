namespace ClaimCheck.Demo.Stage;

/// <summary>The service as a child process, with a data directory that goes with it.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    private readonly ChildProcess process;
    private readonly DemoFolder folder;

    private ServiceProcess(ChildProcess process, DemoFolder folder) => (this.process, this.folder) = (process, folder);

    /// <summary>Holds a connection string of the sample database, for its owner's eyes.</summary>
    public string SampleConnectionFile => Path.Combine(folder.Path, "sample-connection");

    /// <param name="settings">What it has in its environment beside this process's; null removes.</param>
    public static ServiceProcess Start(IReadOnlyDictionary<string, string?>? settings = null)
    {
        var binary = BuiltProgram.Find("ClaimCheck.Service");
        var data = new DemoFolder();
        var environment = new Dictionary<string, string?>(settings ?? new Dictionary<string, string?>()) { ["ClaimCheck__DataDirectory"] = data.Path };
        return new ServiceProcess(ChildProcess.Start("service", binary, data.Path, data.Log, [], environment), data);
    }

    /// <summary>The address that it listens on, once it does. A first start makes a database before.</summary>
    public Task<Uri> ListeningAsync(CancellationToken cancellationToken) => process.ListeningAsync(cancellationToken);

    /// <summary>Waits until <c>/health/ready</c> says so.</summary>
    public Task ReadyAsync(HttpClient http, Uri address, CancellationToken cancellationToken) => process.ReadyAsync(http, address, cancellationToken);

    /// <summary>Where the log stays when the folder goes.</summary>
    public string KeepLog() => folder.KeepLog();

    /// <summary>Stops it, and its database, whatever happened; then removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        await folder.RemoveAsync();
    }
}
