using System.Net;
using Amazon.Runtime;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Staging;
using ClaimCheck.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ClaimCheck.Service.Tests.Staging;

/// <summary>A staging of a test's own.</summary>
internal abstract class StagingLab : IAsyncDisposable
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None });

    public abstract IStaging Staging { get; }

    public BatchId Batch { get; } = BatchId.New();

    public string Prefix => StagingKeys.Batch(Batch);

    public string Key => StagingKeys.File(Batch, "a1", "part-00001.csv.gz");

    public async Task StoreAsync(string key, byte[] content, string contentType = "application/gzip")
    {
        var upload = await Staging.BeginAsync(key, new StagedContent(contentType, key.Split('/')[^1]), default);
        await using var writer = Staging.OpenWriter(upload);
        await writer.WriteAsync(content, default);
        await writer.CompleteAsync(default);
    }

    public async Task<byte[]> ReadAsync(string key, long offset, long length)
    {
        await using var stream = await Staging.OpenReadAsync(key, offset, length, default);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        return copy.ToArray();
    }

    public async Task<IReadOnlyList<StagedObject>> ListAsync() => await Staging.ListAsync(Prefix, default).ToListAsync();

    public async Task<IReadOnlyList<StagedMultipartUpload>> ListUploadsAsync() =>
        await Staging.ListUploadsAsync(Prefix, default).ToListAsync();

    public async Task<string> LinkAsync(string key, TimeSpan? lifetime = null, LinkAudience audience = LinkAudience.Consumer) =>
        (await Staging.SignAsync(key, lifetime ?? TimeSpan.FromMinutes(5), audience, "GET", default)).Link.Reveal();

    public static Task<HttpResponseMessage> GetAsync(
        string url, string? range = null, HttpMethod? method = null, params (string, string)[] headers)
    {
        var request = new HttpRequestMessage(method ?? HttpMethod.Get, url);
        if (range is not null)
            request.Headers.TryAddWithoutValidation("Range", range);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public static byte[] Content(int bytes)
    {
        var content = new byte[bytes];
        new Random(bytes).NextBytes(content);
        return content;
    }

    public abstract ValueTask DisposeAsync();
}

/// <summary>A bucket of the real server, reached through a proxy that can do harm.</summary>
internal sealed class S3Lab : StagingLab
{
    private readonly S3Connection connection;

    private S3Lab(S3Endpoint endpoint, FaultProxy proxy, string bucket, StagingOptions options, AWSCredentials? credentials)
    {
        (Endpoint, Proxy, Bucket) = (endpoint, proxy, bucket);
        Options = options;
        connection = new S3Connection(options, credentials ?? new BasicAWSCredentials(endpoint.AccessKey, endpoint.SecretKey));
        Staging = new S3Staging(connection, options, NullLogger<S3Staging>.Instance);
    }

    public StagingOptions Options { get; }
    public S3Endpoint Endpoint { get; }
    public FaultProxy Proxy { get; }
    public string Bucket { get; }
    public override IStaging Staging { get; }

    public static async Task<S3Lab> NewAsync(
        bool versioned = false,
        bool objectLock = false,
        string? bucket = null,
        AWSCredentials? credentials = null,
        Func<StagingOptions, StagingOptions>? with = null)
    {
        var endpoint = await S3Endpoint.GetAsync();
        var proxy = await FaultProxy.StartAsync(endpoint.Url);
        bucket ??= await endpoint.NewBucketAsync(versioned, objectLock);
        var options = new StagingOptions
        {
            Bucket = bucket,
            ServiceUrl = proxy.Url.GetLeftPart(UriPartial.Authority),
            Region = endpoint.Region,
            PartBytes = 5 << 20,
            ParallelParts = 2,
            StallTimeout = TimeSpan.FromSeconds(20),
        };
        options = with?.Invoke(options) ?? options;
        Assert.Empty(options.Problems());
        return new S3Lab(endpoint, proxy, bucket, options, credentials);
    }

    public override async ValueTask DisposeAsync()
    {
        connection.Dispose();
        await Proxy.DisposeAsync();
    }
}

/// <summary>A folder, and a server that hands its files out.</summary>
internal sealed class FolderLab : StagingLab
{
    private readonly WebApplication app;

    private int underWay;

    private FolderLab(WebApplication app, string data) => (this.app, Data) = (app, data);

    public string Data { get; }
    public string Folder => Path.Combine(Data, "staging");
    public KnownStates States => (KnownStates)app.Services.GetRequiredService<BatchStates>();
    public override IStaging Staging => app.Services.GetRequiredService<IStaging>();
    public string Url => app.Urls.Single();

    public static async Task<FolderLab> NewAsync(string? data = null, TimeProvider? time = null)
    {
        data ??= Directory.CreateTempSubdirectory("claimcheck-staging-").FullName;
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([new("ClaimCheck:DataDirectory", data)]);
        builder.Services.AddSingleton(time ?? TimeProvider.System).AddSingleton<Startup.PublicAddress>()
            .AddSingleton(services => Http.ProblemCatalogue.Under(services.GetRequiredService<Startup.PublicAddress>()));
        builder.AddStaging();
        builder.Services.AddSingleton(NpgsqlDataSource.Create("Host=127.0.0.1"));
        builder.Services.AddSingleton<BatchStates>(new KnownStates()).AddSingleton<CatalogSignals>();
        var server = builder.Build();
        var lab = new FolderLab(server, data);
        server.Use(lab.CountAsync);
        server.MapStagedFiles();
        await lab.Staging.CheckAsync(CancellationToken.None); // as the service does before it listens
        await server.StartAsync();
        return lab;
    }

    public string PathOf(string key) => Path.Combine(Folder, key);

    /// <summary>Waits until the server has done with every request.</summary>
    public async Task IdleAsync(CancellationToken deadline)
    {
        while (Volatile.Read(ref underWay) > 0)
            await Task.Delay(10, deadline);
    }

    /// <summary>Stops the server and keeps the data.</summary>
    public ValueTask StopAsync() => app.DisposeAsync();

    public override async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        Directory.Delete(Data, recursive: true);
    }

    private async Task CountAsync(HttpContext context, RequestDelegate next)
    {
        Interlocked.Increment(ref underWay);
        try
        {
            await next(context);
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
        }
    }
}

/// <summary>Every batch is ready but those that were revoked; no database is asked.</summary>
internal sealed class KnownStates() : BatchStates(null!)
{
    private readonly HashSet<BatchId> revoked = [];
    private int asked;

    /// <summary>How often it was asked.</summary>
    public int Asked => Volatile.Read(ref asked);

    public void Revoke(BatchId batch)
    {
        lock (revoked)
            revoked.Add(batch);
    }

    public override Task<IReadOnlySet<Readable>> ReadableAsync(
        IReadOnlyCollection<Readable> readables, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref asked);
        lock (revoked)
            return Task.FromResult<IReadOnlySet<Readable>>(
                readables.Where(one => one.Batch is { } batch && !revoked.Contains(batch)).ToHashSet());
    }
}
