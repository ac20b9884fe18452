using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Import.Tests;

/// <summary>A call as the endpoint saw it.</summary>
internal sealed record SeenCall(string IdempotencyKey, JsonArray Items);

/// <summary>
/// A real endpoint that keeps the contract, honours Idempotency-Key, and counts how often each record took effect. What it says
/// of a record, or of a whole call, is the test's.
/// </summary>
internal sealed class RecordEndpoint : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, Lazy<Task<string>>> answers = new(StringComparer.Ordinal);

    private RecordEndpoint(WebApplication app) => this.app = app;

    public Uri Address { get; private set; } = null!;

    /// <summary>What becomes of a record: its id, and the how-manieth time it is asked for, from 1.</summary>
    public Func<string, int, int> StatusOf { get; set; } = (_, _) => 200;

    /// <summary>Answers a whole call in place of the contract; null: the contract.</summary>
    public Func<SeenCall, HttpContext, Task<bool>> Instead { get; set; } = (_, _) => Task.FromResult(false);

    /// <summary>Calls that took effect for the first time, by their key.</summary>
    public ConcurrentDictionary<string, SeenCall> Calls { get; } = new(StringComparer.Ordinal);

    /// <summary>All calls, repeated ones too.</summary>
    public ConcurrentQueue<SeenCall> All { get; } = new();

    /// <summary>How often each record was told to have succeeded.</summary>
    public ConcurrentDictionary<string, int> Succeeded { get; } = new(StringComparer.Ordinal);

    /// <summary>How often each record was asked for, under different keys.</summary>
    public ConcurrentDictionary<string, int> Asked { get; } = new(StringComparer.Ordinal);

    /// <summary>Says this to every call without looking at it.</summary>
    public byte[]? Quick { get; set; }

    public int QuickCalls => quickCalls;

    private int quickCalls;

    public int MostAtOnce => mostAtOnce;

    private int atOnce;
    private int mostAtOnce;

    public static async Task<RecordEndpoint> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(options => options.Listen(IPAddress.Loopback, 0));
        var host = builder.Build();
        var endpoint = new RecordEndpoint(host);
        host.MapPost("/records", endpoint.AnswerAsync);
        await host.StartAsync();
        endpoint.Address = new Uri(
            $"{host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()}/records");
        return endpoint;
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(new CancellationToken(true));
        await app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (Quick is { } quick)
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            Interlocked.Increment(ref quickCalls);
            await context.Response.Body.WriteAsync(quick);
            return;
        }
        var now = Interlocked.Increment(ref atOnce);
        for (var most = mostAtOnce; now > most; most = mostAtOnce)
            Interlocked.CompareExchange(ref mostAtOnce, now, most);
        try
        {
            var body = (await JsonNode.ParseAsync(context.Request.Body))!.AsObject();
            var call = new SeenCall(context.Request.Headers["Idempotency-Key"].ToString(), body["items"]!.AsArray());
            All.Enqueue(call);
            if (await Instead(call, context))
                return;
            var answer = await answers.GetOrAdd(call.IdempotencyKey, _ => new(() => Task.FromResult(Take(call)))).Value;
            // The same key means the same records.
            if (Calls[call.IdempotencyKey].Items.ToJsonString() != call.Items.ToJsonString())
            {
                context.Response.StatusCode = 500;
                BrokenKeys.Enqueue(call.IdempotencyKey);
                return;
            }
            context.Response.StatusCode = 207;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(answer);
        }
        finally
        {
            Interlocked.Decrement(ref atOnce);
        }
    }

    /// <summary>Keys that came with other records than before: there must be none.</summary>
    public ConcurrentQueue<string> BrokenKeys { get; } = new();

    private string Take(SeenCall call)
    {
        Calls[call.IdempotencyKey] = call;
        var items = new JsonArray();
        for (var i = 0; i < call.Items.Count; i++)
        {
            var id = call.Items[i]!["id"]!.ToString();
            var status = StatusOf(id, Asked.AddOrUpdate(id, 1, (_, times) => times + 1));
            if (status < 300)
                Succeeded.AddOrUpdate(id, 1, (_, times) => times + 1);
            items.Add(new JsonObject
            {
                ["index"] = i,
                ["status"] = status,
                ["code"] = $"said_{status}",
                ["message"] = $"It is {status}.",
            });
        }
        return new JsonObject { ["items"] = items }.ToJsonString();
    }
}
