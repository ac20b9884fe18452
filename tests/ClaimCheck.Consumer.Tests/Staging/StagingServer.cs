using System.Collections.Concurrent;
using ClaimCheck.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Consumer.Tests.Staging;

/// <summary>The service's claim URL and its staging on one loopback port, with faults on demand. A link works while its signature
/// is the current one.</summary>
internal sealed class StagingServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private int signature = 1;
    private volatile string etag = "\"1\"";

    private StagingServer(StagedTestBatch batch)
    {
        Batch = batch;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.Map("/v1/{**path}", (Delegate)Api);
        app.MapGet("/staged/{name}", Staged);
    }

    public StagedTestBatch Batch { get; }

    public string Address => app.Urls.First();

    /// <summary>One for each answer with a data file, in turn; null is none.</summary>
    public ConcurrentQueue<Fault?> Faults { get; } = new();

    /// <summary>The same for indices.</summary>
    public ConcurrentQueue<Fault?> IndexFaults { get; } = new();

    /// <summary>Every request for a staged object.</summary>
    public ConcurrentQueue<Fetch> Fetches { get; } = new();

    /// <summary>Every request to the service: method, path with query, and headers.</summary>
    public ConcurrentQueue<(string Method, string Path, IHeaderDictionary Headers, string Body)> Calls { get; } = new();

    /// <summary>How the batch ended: a problem code with which the claim URL answers 410 from then on.
    /// Links are dead too.</summary>
    public string? Ended { get; private set; }

    /// <summary>What the service says instead of its manifest.</summary>
    public Func<Manifest, Manifest> Manifests { get; set; } = manifest => manifest;

    /// <summary>Answers calls to the service that are not of the manifest.</summary>
    public Func<HttpContext, IResult> Answer { get; set; } = _ => Results.NotFound();

    public int ManifestsServed;

    public static async Task<StagingServer> StartAsync(StagedTestBatch batch)
    {
        var server = new StagingServer(batch.Write());
        await server.app.StartAsync();
        return server;
    }

    public ClaimCheckClient Client(string? key = null) => new(new ClaimCheckClientOptions
    {
        BaseAddress = new Uri(Address),
        ApiKey = key,
        RetryDelay = TimeSpan.FromMilliseconds(1),
    });

    /// <param name="stall">Short only where a server stalls: a busy machine is not a stalled server.</param>
    public static BatchReaderOptions Options(TimeSpan? stall = null) => new()
    {
        RetryDelay = TimeSpan.FromMilliseconds(1),
        StallTimeout = stall ?? TimeSpan.FromSeconds(20),
    };

    public Manifest CurrentManifest() => Manifests(Batch.Manifest(Address, $"secret{signature}"));

    /// <summary>Every link minted so far is dead; new ones work.</summary>
    public void ExpireLinks() => Interlocked.Increment(ref signature);

    public void End(string code)
    {
        Ended = code;
        ExpireLinks();
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(new CancellationToken(canceled: true));
        await app.DisposeAsync();
    }

    private async Task<IResult> Api(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body);
        var path = context.Request.Path + context.Request.QueryString;
        var text = await body.ReadToEndAsync();
        context.Items["body"] = text;
        Calls.Enqueue((context.Request.Method, path, new HeaderDictionary(context.Request.Headers.ToDictionary()), text));
        if (context.Request.Path != $"/v1/batches/{Batch.BatchId}/manifest")
            return Answer(context);
        if (Ended is { } code)
            return Problem(410, code);
        Interlocked.Increment(ref ManifestsServed);
        return Results.Json(CurrentManifest(), ClaimCheckJson.Options);
    }

    public static IResult Problem(int status, string code) => Results.Json(
        new Problem { Type = $"/problems/{code}", Title = code, Status = status, Code = code, Detail = "As the test wants it." },
        ClaimCheckJson.Options, "application/problem+json", status);

    private async Task Staged(HttpContext context, string name)
    {
        var request = context.Request;
        var (range, ifMatch) = (request.Headers.Range.ToString(), request.Headers.IfMatch.ToString());
        Fetches.Enqueue(new Fetch(name, range, ifMatch, request.Headers.Authorization.ToString()));
        if (name == "manifest.json")
        {
            await context.Response.WriteAsJsonAsync(CurrentManifest(), ClaimCheckJson.Options);
            return;
        }
        if (request.Query["sig"] != $"secret{signature}")
        {
            context.Response.StatusCode = Ended is null ? 403 : 404;
            return;
        }
        (name.EndsWith(".index.json", StringComparison.Ordinal) ? IndexFaults : Faults).TryDequeue(out var fault);
        await SendAsync(context, Batch.Objects[name], range, ifMatch, fault);
    }

    private async Task SendAsync(HttpContext context, byte[] content, string range, string ifMatch, Fault? fault)
    {
        var response = context.Response;
        switch (fault)
        {
            case Fault.Status(var code):
                response.StatusCode = code;
                return;
            case Fault.Held(var until, var code):
                await until;
                response.StatusCode = code;
                return;
            case Fault.Redirect(var to):
                response.Redirect(to);
                return;
            case Fault.Altered(var at):
                content = [.. content];
                content[at] ^= 0x20;
                break;
            case Fault.Truncated(var by):
                content = content[..^by];
                break;
            case Fault.Replaced:
                etag = "\"2\"";
                break;
        }
        if (ifMatch.Length > 0 && ifMatch != etag)
        {
            response.StatusCode = 412;
            return;
        }
        var from = fault is Fault.Whole ? 0 : int.Parse(range["bytes=".Length..range.IndexOf('-', StringComparison.Ordinal)]);
        response.Headers.ETag = etag;
        response.ContentLength = content.Length - from;
        if (fault is not Fault.Whole)
        {
            response.StatusCode = 206;
            response.Headers.ContentRange = $"bytes {from}-{content.Length - 1}/{content.Length}";
        }
        var body = content.AsMemory(from);
        if (fault is Fault.Cut { After: var after } && after < body.Length)
        {
            await response.Body.WriteAsync(body[..after]);
            await response.Body.FlushAsync();
            context.Abort();
            return;
        }
        if (fault is Fault.Ended { After: var few } && few < body.Length)
        {
            response.ContentLength = null;
            await response.Body.WriteAsync(body[..few]);
            return;
        }
        if (fault is Fault.Stalled { After: var some } && some < body.Length)
        {
            await response.Body.WriteAsync(body[..some]);
            await response.Body.FlushAsync();
            var left = new TaskCompletionSource();
            await using var registration = context.RequestAborted.Register(left.SetResult);
            await left.Task;
            return;
        }
        await response.Body.WriteAsync(body);
    }
}

/// <summary>One request for a staged object.</summary>
internal sealed record Fetch(string Name, string Range, string IfMatch, string Authorization);
