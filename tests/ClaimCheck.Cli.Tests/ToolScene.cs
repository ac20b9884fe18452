using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Cli.Tests;

/// <summary>A service with a key behind a proxy that can do harm and counts; shared by the tests of a collection, which run one
/// after the other.</summary>
[SuppressMessage("Design", "CA1001", Justification = "DisposeAsync disposes it; xunit calls that.")]
public sealed class ToolScene : IAsyncLifetime
{
    public const string Name = "tool";
    public const string Other = "another tool";
    public const string Key = "test-key-0123456789-0123456789-0123456789";

    private Scene? scene;
    private ServiceProcess? service;
    private FaultProxy? proxy;
    private ClaimCheckClient? client;

    internal FaultProxy Proxy => proxy!;

    /// <summary>Past the proxy.</summary>
    internal ClaimCheckClient Client => client!;

    internal Uri Service => service!.Address;

    internal string Folder { get; } = Directory.CreateTempSubdirectory("claimcheck-tool-").FullName;

    public async Task InitializeAsync()
    {
        scene = await Scene.CreateAsync(items: 20_000);
        scene.AddDataset("wide", "SELECT id, repeat(md5(id::text), 20) AS filler FROM items ORDER BY id");
        scene.AddDataset(
            "endless", "SELECT i.id, i.name FROM items i, LATERAL (SELECT pg_sleep(0.05 + 0 * i.id)) pause ORDER BY id");
        scene.AddDataset("misfit", "SELECT id,\n  nope FROM items");
        scene.AddDataset("broken", "SELECT id, 1 / (id - 500) AS ratio FROM items ORDER BY id");
        scene.AddDataset(
            "typed",
            "SELECT id, name FROM items WHERE id = ANY(:ids) AND (:flag IS NULL OR :flag) AND (:since IS NULL OR "
            + ":since < now()) ORDER BY id",
            """
            , "parameters": { "ids": { "type": "bigint[]" }, "flag": { "type": "boolean", "required": false },
                              "since": { "type": "timestamptz", "required": false } }
            """);
        // A free port may be taken by someone else before the service binds it.
        for (var attempt = 1; service is null; attempt++)
        {
            var port = FreePort();
            proxy = await FaultProxy.StartAsync(new Uri($"http://127.0.0.1:{port}"));
            var settings = new Dictionary<string, string>(scene.Settings, StringComparer.Ordinal)
            {
                ["ClaimCheck__AdminKey"] = Key,
                ["ClaimCheck__PublicUrl"] = proxy.Url.GetLeftPart(UriPartial.Authority),
            };
            try
            {
                service = await ServiceProcess.StartAsync(settings, port);
            }
            catch (InvalidOperationException) when (attempt < 3)
            {
                await proxy.DisposeAsync();
            }
        }
        client = new ClaimCheckClient(new ClaimCheckClientOptions { BaseAddress = service.Address, ApiKey = Key });
    }

    public async Task DisposeAsync()
    {
        client?.Dispose();
        if (service is not null)
            await service.DisposeAsync();
        if (proxy is not null)
            await proxy.DisposeAsync();
        if (scene is not null)
            await scene.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Starts the tool with the address and the key in its environment.</summary>
    internal ToolProcess Start(params string[] arguments) => ToolProcess.Start(
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["CLAIMCHECK_URL"] = Proxy.Url.AbsoluteUri,
            ["CLAIMCHECK_KEY"] = Key,
        },
        arguments);

    /// <summary>Runs the tool, and makes sure that it keeps the key to itself.</summary>
    internal async Task<ToolResult> RunAsync(params string[] arguments)
    {
        await using var tool = Start(arguments);
        var result = await tool.EndAsync();
        Assert.DoesNotContain(Key, result.Output + result.Errors);
        return result;
    }

    internal async Task<Export> ReadyAsync(string dataset, long? maxFileBytes = null, string compression = "none")
    {
        var export = await Client.CreateExportAsync(
            new ExportRequest { Dataset = dataset, MaxFileBytes = maxFileBytes, Compression = compression },
            wait: TimeSpan.FromSeconds(60));
        Assert.Equal(ExportState.Ready, export.State);
        return export;
    }

    internal string NewFolder() => Path.Combine(Folder, Guid.NewGuid().ToString("N"));

    /// <summary>What a link leads to, past the proxy.</summary>
    internal async Task<byte[]> FetchAsync(Link link)
    {
        using var http = new HttpClient();
        return await http.GetByteArrayAsync(new Uri(Service, new Uri(link.Reveal()).PathAndQuery));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

[CollectionDefinition(ToolScene.Name)]
public sealed class ToolScenes : ICollectionFixture<ToolScene>;

/// <summary>A second one, so that two classes of tests can run at a time.</summary>
[CollectionDefinition(ToolScene.Other)]
public sealed class OtherToolScenes : ICollectionFixture<ToolScene>;
