using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using ClaimCheck.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Adapter.Tests;

/// <summary>A notice as it came, already verified.</summary>
internal sealed record Heard(string Id, string Type, JsonNode Data);

/// <summary>A system that is notified: verifies each notice, and takes it, or refuses it as a test wants.</summary>
internal sealed class ConsumerSystem : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<Heard> heard = new();
    private int refusals;

    private ConsumerSystem(WebApplication app) => this.app = app;

    public string Secret { get; } = WebhookSignature.NewSecret();

    public string Url => app.Urls.Single() + "/hook";

    /// <summary>What was taken, in its order.</summary>
    public IReadOnlyList<Heard> Taken => [.. heard];

    /// <summary>The ids of those that were refused.</summary>
    public ConcurrentQueue<string> Refused { get; } = new();

    public static async Task<ConsumerSystem> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var system = new ConsumerSystem(builder.Build());
        system.app.MapPost("/hook", (Delegate)system.TakeAsync); // what it returns is the answer
        await system.app.StartAsync();
        return system;
    }

    /// <summary>How many of the next requests get 500.</summary>
    public void Refuse(int times) => refusals = times;

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task<IResult> TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var headers = context.Request.Headers;
        var id = headers[WebhookSignature.IdHeader].ToString();
        if (!WebhookSignature.Verify(
            [Secret], id, headers[WebhookSignature.TimestampHeader], headers[WebhookSignature.SignatureHeader], body.ToArray(),
            TimeProvider.System.GetUtcNow()))
        {
            return Results.Unauthorized();
        }

        if (Interlocked.Decrement(ref refusals) >= 0)
        {
            Refused.Enqueue(id);
            return Results.StatusCode(500);
        }

        var notice = JsonNode.Parse(body.ToArray())!;
        heard.Enqueue(new(id, (string)notice["type"]!, notice["data"]!));
        return Results.NoContent();
    }
}
