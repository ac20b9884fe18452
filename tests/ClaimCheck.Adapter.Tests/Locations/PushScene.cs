using System.Security.Cryptography;
using ClaimCheck.Adapter.Locations;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClaimCheck.Adapter.Tests.Locations;

/// <summary>A service of its own, whose batches are pushed.</summary>
public sealed class PushScene : IAsyncLifetime
{
    private Scene scene = null!;

    internal ClaimCheckClient Client { get; private set; } = null!;

    internal Uri Service { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        scene = await Scene.CreateAsync(items: 20_000);
        Service = (await scene.StartServiceAsync()).Address;
        Client = new ClaimCheckClient(Service);
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await scene.DisposeAsync();
    }

    /// <summary>A batch of several files.</summary>
    internal async Task<Manifest> ExportAsync()
    {
        var export = await Client.CreateExportAsync(
            new ExportRequest { Dataset = "items", Compression = "none", MaxFileBytes = 64 << 10 },
            wait: TimeSpan.FromSeconds(60));
        Assert.Equal(ExportState.Ready, export.State);
        var manifest = await Client.GetManifestAsync(export.BatchId);
        Assert.True(manifest.Files.Count > 4);
        return manifest;
    }

    internal Pushing NewPushing(ClaimCheckClient? client = null, TimeProvider? time = null) =>
        new(client ?? Client, time ?? TimeProvider.System);
}

/// <summary>A pusher with a work directory of its own.</summary>
internal sealed class Pushing : IDisposable
{
    private readonly BatchDownloader downloader;

    public Pushing(ClaimCheckClient client, TimeProvider time)
    {
        downloader = new BatchDownloader(client);
        Pusher =
            new BatchPusher(client, downloader, Work, time, NullLogger<BatchPusher>.Instance) { TemporaryLease = TimeSpan.Zero };
    }

    public BatchPusher Pusher { get; }

    public string Work { get; } = Directory.CreateTempSubdirectory("claimcheck-work-").FullName;

    public static string Sha256(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    public void Dispose()
    {
        downloader.Dispose();
        Directory.Delete(Work, recursive: true);
    }
}

/// <summary>A location to which things happen.</summary>
internal sealed class EventfulLocation(ISharedLocation location) : ISharedLocation
{
    /// <summary>Told of each write before it happens.</summary>
    public Func<string, Task> Writing { get; set; } = _ => Task.CompletedTask;

    /// <summary>What was written and deleted, in order.</summary>
    public List<string> Changes { get; } = [];

    public string Name => location.Name;

    public bool CanList => location.CanList;

    public Task CheckAsync(CancellationToken cancellationToken) => location.CheckAsync(cancellationToken);

    public async Task WriteAsync(
        string path, Func<CancellationToken, Task<Stream>> open, long bytes, ReadOnlyMemory<byte> sha256,
        CancellationToken cancellationToken)
    {
        await Writing(path);
        await location.WriteAsync(path, open, bytes, sha256, cancellationToken);
        Changes.Add($"+{path.Split('/')[^1]}");
    }

    public Task<Holding> HoldsAsync(string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken) =>
        location.HoldsAsync(path, bytes, sha256, cancellationToken);

    public Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken) =>
        location.ReadAsync(path, cancellationToken);

    public Task<IReadOnlyList<StoredFile>> ListAsync(string folder, CancellationToken cancellationToken) =>
        location.ListAsync(folder, cancellationToken);

    public async Task DeleteAsync(string folder, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        await location.DeleteAsync(folder, names, cancellationToken);
        Changes.AddRange(names.Select(name => $"-{name}"));
    }

    public Task DeleteFolderAsync(string folder, CancellationToken cancellationToken) =>
        location.DeleteFolderAsync(folder, cancellationToken);

    public Task CleanAsync(string folder, TimeSpan lease, CancellationToken cancellationToken) =>
        location.CleanAsync(folder, lease, cancellationToken);

    public Task<string?> LinkAsync(string path, TimeSpan lifetime, CancellationToken cancellationToken) =>
        location.LinkAsync(path, lifetime, cancellationToken);

    public ValueTask DisposeAsync() => location.DisposeAsync();
}

/// <summary>A clock that stands where it is told to.</summary>
internal sealed class Clock(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}
