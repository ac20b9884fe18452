using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClaimCheck.Adapter.Locations;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClaimCheck.Adapter.Tests.Locations;

[Collection(LocationCollection.Name)]
public sealed class Batches_at_a_location(LocationServers servers, PushScene scene) : IClassFixture<PushScene>
{
    private static readonly TimeSpan Retention = TimeSpan.FromDays(7);

    [Theory, InlineData("folder"), InlineData("s3"), InlineData("sftp"), InlineData("webdav")]
    public async Task Go_when_the_location_s_own_retention_is_over_and_nothing_else_goes(string kind)
    {
        await using var lab = await servers.NewAsync(kind);
        var now = TimeProvider.System.GetUtcNow();
        using var longAgo = scene.NewPushing(time: new Clock(now - Retention - TimeSpan.FromHours(1)));
        using var justNow = scene.NewPushing();
        var manifest = await scene.ExportAsync();
        await longAgo.Pusher.PushAsync(manifest.BatchId, lab.Location, "items/old", default);
        await longAgo.Pusher.PushAsync(manifest.BatchId, lab.Location, "gone/old", default);
        await longAgo.Pusher.PushAsync(manifest.BatchId, lab.Location, "kept/old", default);
        await justNow.Pusher.PushAsync(manifest.BatchId, lab.Location, "items/new", default);
        await lab.PlantAsync("kept/old/notes.txt", [1]);
        await lab.PlantAsync("spark/out/_SUCCESS", []);
        await lab.PlantAsync("spark/out/manifest.json", [1]);
        var retention = new LocationRetention(TimeProvider.System, NullLogger<LocationRetention>.Instance);

        Assert.Equal(0, await retention.SweepAsync(lab.Location, 2, null, TimeSpan.Zero, default));
        Assert.Equal(2, await retention.SweepAsync(lab.Location, 2, Retention, TimeSpan.Zero, default));

        var seen = (await lab.SeenAsync()).Keys.Where(path => !path.StartsWith("items/new/", StringComparison.Ordinal));
        Assert.Equal(["kept/old/notes.txt", "spark/out/_SUCCESS", "spark/out/manifest.json"], seen);
        Assert.Equal(
            ["items", "kept", "spark"],
            (await lab.Location.ListAsync("", default)).Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Equal(0, (await justNow.Pusher.PushAsync(manifest.BatchId, lab.Location, "items/new", default)).FilesWritten);
    }

    [Fact]
    public async Task Go_also_where_another_folder_can_t_be_looked_through()
    {
        await using var lab = await servers.NewAsync("folder");
        using var longAgo = scene.NewPushing(
            time: new Clock(TimeProvider.System.GetUtcNow() - Retention - TimeSpan.FromHours(1)));
        var manifest = await scene.ExportAsync();
        foreach (var folder in new[] { "a/broken", "a/old", "b/old" })
            await longAgo.Pusher.PushAsync(manifest.BatchId, lab.Location, folder, default);
        var retention = new LocationRetention(TimeProvider.System, NullLogger<LocationRetention>.Instance);

        // A size beyond any number, for example.
        Assert.Equal(2, await retention.SweepAsync(new Broken(lab.Location, "a/broken"), 2, Retention, TimeSpan.Zero, default));

        Assert.Equal(["a/broken"], (await lab.SeenAsync()).Keys.Select(path => path[..path.LastIndexOf('/')]).Distinct());
    }

    [Theory]
    [InlineData("../part.csv")]
    [InlineData("/etc/passwd")]
    [InlineData(".claimcheck")]
    [InlineData("_SUCCESS")]
    [InlineData("Manifest.json")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("a\nrm *")]
    [InlineData("-rf")]
    [InlineData("x.partial")]
    [InlineData("part-00002.csv")]
    public async Task Never_get_names_that_a_hostile_manifest_chose(string name)
    {
        await using var lab = await servers.NewAsync("folder");
        var manifest = await scene.ExportAsync();
        await using var liar = await LiarAsync(
            JsonSerializer.Serialize(manifest, ClaimCheckJson.Options), files => files[0]!["name"] = name);
        using var client = new ClaimCheckClient(new Uri(liar.Urls.Single()));
        using var pushing = scene.NewPushing(client);

        var failure = await Assert.ThrowsAsync<IntegrityException>(
            () => pushing.Pusher.PushAsync(manifest.BatchId, lab.Location, "items/x", default));

        Assert.Empty(await lab.SeenAsync());
        Assert.Empty(Directory.GetFileSystemEntries(pushing.Work));
        if (name != "part-00002.csv")
            Assert.DoesNotContain(name, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Are_not_taken_from_the_manifest_of_another_batch()
    {
        await using var lab = await servers.NewAsync("folder");
        var manifest = await scene.ExportAsync();
        await using var liar = await LiarAsync(JsonSerializer.Serialize(manifest, ClaimCheckJson.Options), _ => { });
        using var client = new ClaimCheckClient(new Uri(liar.Urls.Single()));
        using var pushing = scene.NewPushing(client);

        await Assert.ThrowsAsync<IntegrityException>(
            () => pushing.Pusher.PushAsync(BatchId.New(), lab.Location, "items/x", default));

        Assert.Empty(await lab.SeenAsync());
    }

    [Fact]
    public async Task Are_away_as_long_as_the_service_is()
    {
        await using var lab = await servers.NewAsync("folder");
        using var client = new ClaimCheckClient(
            new ClaimCheckClientOptions { BaseAddress = new Uri("http://127.0.0.1:1"), MaxAttempts = 1 });
        using var pushing = scene.NewPushing(client);

        var failure = await Assert.ThrowsAsync<ServiceUnavailableException>(
            () => pushing.Pusher.PushAsync(BatchId.New(), lab.Location, "items/x", default));

        Assert.True(failure.IsTransient);
        Assert.Empty(await lab.SeenAsync());
    }

    // A service that answers one manifest to everything.
    private static async Task<WebApplication> LiarAsync(string manifest, Action<JsonArray> change)
    {
        var node = JsonNode.Parse(manifest)!;
        change(node["files"]!.AsArray());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(context => context.Response.WriteAsJsonAsync(node));
        await app.StartAsync();
        return app;
    }

    /// <summary>A location whose one folder can't be listed, for a reason that nobody thought of.</summary>
    private sealed class Broken(ISharedLocation inner, string broken) : ISharedLocation
    {
        public string Name => inner.Name;

        public bool CanList => inner.CanList;

        public Task CheckAsync(CancellationToken cancellationToken) => inner.CheckAsync(cancellationToken);

        public Task WriteAsync(
            string path, Func<CancellationToken, Task<Stream>> open, long bytes, ReadOnlyMemory<byte> sha256,
            CancellationToken cancellationToken) =>
            inner.WriteAsync(path, open, bytes, sha256, cancellationToken);

        public Task<Holding> HoldsAsync(
            string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken) =>
            inner.HoldsAsync(path, bytes, sha256, cancellationToken);

        public Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken) =>
            inner.ReadAsync(path, cancellationToken);

        public Task<IReadOnlyList<StoredFile>> ListAsync(string folder, CancellationToken cancellationToken) =>
            folder == broken ? throw new OverflowException() : inner.ListAsync(folder, cancellationToken);

        public Task DeleteAsync(string folder, IReadOnlyCollection<string> names, CancellationToken cancellationToken) =>
            inner.DeleteAsync(folder, names, cancellationToken);

        public Task DeleteFolderAsync(string folder, CancellationToken cancellationToken) =>
            inner.DeleteFolderAsync(folder, cancellationToken);

        public Task CleanAsync(string folder, TimeSpan lease, CancellationToken cancellationToken) =>
            inner.CleanAsync(folder, lease, cancellationToken);

        public Task<string?> LinkAsync(string path, TimeSpan lifetime, CancellationToken cancellationToken) =>
            inner.LinkAsync(path, lifetime, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
