using Amazon.S3.Model;
using ClaimCheck.Adapter.Locations;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Locations;

/// <summary>One real server for each kind of location, shared by all tests of this project; each location has a place of
/// its own there.</summary>
public sealed class LocationServers : IAsyncLifetime
{
    internal SshServer Ssh { get; private set; } = null!;
    internal PutServer WebDav { get; private set; } = null!;
    internal PutServer Put { get; private set; } = null!;
    internal S3Endpoint S3 { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var s3 = S3Endpoint.GetAsync();
        (Ssh, WebDav, Put) =
            (await SshServer.StartAsync(), await PutServer.StartAsync(webDav: true), await PutServer.StartAsync(webDav: false));
        S3 = await s3;
    }

    public async Task DisposeAsync()
    {
        await Ssh.DisposeAsync();
        await WebDav.DisposeAsync();
        await Put.DisposeAsync();
    }

    internal async Task<LocationLab> NewAsync(string kind, Func<LocationOptions, LocationOptions>? change = null)
    {
        var folder = Directory.CreateTempSubdirectory("claimcheck-location-").FullName;
        var name = Guid.NewGuid().ToString("N");
        var options = kind switch
        {
            "folder" => new LocationOptions { Kind = "folder", Path = folder },
            "sftp" => Sftp(Ssh, folder),
            "s3" => new LocationOptions
            {
                Kind = "s3",
                Bucket = await S3.NewBucketAsync(),
                Path = "for consumers/crm",
                ServiceUrl = S3.Url.GetLeftPart(UriPartial.Authority),
                Region = S3.Region,
                AccessKey = S3.AccessKey,
                SecretKey = S3.SecretKey,
                PartBytes = 5 << 20,
            },
            "webdav" => Http(WebDav, $"drop/{name}", webDav: true),
            _ => Http(Put, $"drop/{name}", webDav: false),
        };
        WebDav.Folders[$"drop/{name}"] = true;
        options =
            options with { MaxAttempts = 2, RetryDelay = TimeSpan.FromMilliseconds(10), StallTimeout = TimeSpan.FromSeconds(10) };
        return new LocationLab(this, kind, change is null ? options : change(options), folder, $"drop/{name}/");
    }

    internal static LocationOptions Sftp(SshServer server, string folder) => new()
    {
        Kind = "sftp",
        Host = "127.0.0.1",
        Port = server.Port,
        User = Environment.UserName,
        IdentityFile = server.Key,
        KnownHostsFile = server.KnownHosts,
        Path = folder,
    };

    internal static LocationOptions Http(PutServer server, string folder, bool webDav) => new()
    {
        Kind = "http",
        Url = new Uri(server.Address, folder).AbsoluteUri,
        WebDav = webDav,
        Headers = new Dictionary<string, string> { ["Authorization"] = PutServer.Authorization },
    };
}

[CollectionDefinition(Name)]
public sealed class LocationCollection : ICollectionFixture<LocationServers>
{
    public const string Name = "locations";
}

/// <summary>One location, and how its consumer system sees it.</summary>
internal sealed class LocationLab(
    LocationServers servers, string kind, LocationOptions options, string folder, string key) : IAsyncDisposable
{
    public LocationOptions Options => options;

    public ISharedLocation Location { get; } = SharedLocations.Create(options);

    /// <summary>All names there with their bytes.</summary>
    public async Task<SortedDictionary<string, byte[]>> SeenAsync()
    {
        var seen = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        switch (kind)
        {
            case "s3":
                foreach (var item in (await servers.S3.Client.ListObjectsV2Async(
                    new ListObjectsV2Request { BucketName = options.Bucket })).S3Objects ?? [])
                {
                    using var answer = await servers.S3.Client.GetObjectAsync(options.Bucket, item.Key);
                    using var content = new MemoryStream();
                    await answer.ResponseStream.CopyToAsync(content);
                    seen[item.Key[(options.Path!.Length + 1)..]] = content.ToArray();
                }
                break;
            case "webdav" or "put":
                foreach (var (path, file) in (kind == "put" ? servers.Put : servers.WebDav).Files.Where(
                    file => file.Key.StartsWith(key, StringComparison.Ordinal)))
                    seen[path[key.Length..]] = file.Content;
                break;
            default:
                foreach (var path in Directory.EnumerateFiles(options.Path!, "*", SearchOption.AllDirectories))
                    seen[Path.GetRelativePath(options.Path!, path)] = await File.ReadAllBytesAsync(path);
                break;
        }
        return seen;
    }

    /// <summary>Puts a file there as somebody else would.</summary>
    public async Task PlantAsync(string path, byte[] content)
    {
        switch (kind)
        {
            case "s3":
                using (var body = new MemoryStream(content))
                    await servers.S3.Client.PutObjectAsync(
                        new PutObjectRequest { BucketName = options.Bucket, Key = $"{options.Path}/{path}", InputStream = body });
                break;
            case "webdav" or "put":
                for (var at = path.IndexOf('/'); at > 0; at = path.IndexOf('/', at + 1))
                    servers.WebDav.Folders[key + path[..at]] = true;
                (kind == "put" ? servers.Put : servers.WebDav).Files[key + path] = (content, TimeProvider.System.GetUtcNow());
                break;
            default:
                var file = Path.Combine(options.Path!, path);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                await File.WriteAllBytesAsync(file, content);
                break;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Location.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
