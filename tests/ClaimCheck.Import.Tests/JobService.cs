using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Import.Tests;

/// <summary>Bulk jobs as ClaimCheck has them: 202 and a Location, a job that is asked for, results of one line an item.</summary>
internal sealed class JobService : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, string> byKey = new(StringComparer.Ordinal);

    private JobService(WebApplication app) => this.app = app;

    public Uri Address { get; private set; } = null!;

    public ConcurrentDictionary<string, JsonObject> Bodies { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, int> Looks { get; } = new(StringComparer.Ordinal);

    public ConcurrentQueue<string> Posts { get; } = new();

    public ConcurrentQueue<string?> Authorizations { get; } = new();

    /// <summary>What a job is at a look, from the first: pending, running, completed, failed.</summary>
    public Func<int, string> StatusAt { get; set; } = looks => looks < 3 ? "running" : "completed";

    public Func<JsonNode, JsonObject> OutcomeOf { get; set; } = _ => new() { ["status"] = "succeeded" };

    public Func<HttpContext, bool> Refuse { get; set; } = _ => false;

    public JsonObject? Failure { get; set; }

    public static async Task<JobService> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(options => options.Listen(IPAddress.Loopback, 0));
        var host = builder.Build();
        var service = new JobService(host);
        host.Use((context, next) => service.Refuse(context) ? Task.CompletedTask : next());
        // As a RequestDelegate its result would be thrown away.
        host.MapPost("/v1/bulk-jobs", (Delegate)service.PostAsync);
        host.MapGet("/v1/bulk-jobs/{id}", service.Show);
        host.MapGet("/results/{id}", service.Outcomes);
        await host.StartAsync();
        service.Address = new Uri(
            host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return service;
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(new CancellationToken(true));
        await app.DisposeAsync();
    }

    private async Task<IResult> PostAsync(HttpContext context)
    {
        var body = (await JsonNode.ParseAsync(context.Request.Body))!.AsObject();
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        Authorizations.Enqueue(context.Request.Headers.Authorization);
        Posts.Enqueue(key);
        if (body["operation"]?.ToString() != "update_orders")
            return Results.Problem(
                statusCode: 422,
                extensions: new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = "validation_failed" });
        var id = byKey.GetOrAdd(key, _ => $"job_{Guid.NewGuid():N}");
        Bodies.TryAdd(id, body);
        context.Response.Headers.Location = $"/v1/bulk-jobs/{id}";
        context.Response.Headers.RetryAfter = "1";
        return Results.Json(View(id, "pending"), statusCode: 202);
    }

    private IResult Show(string id, HttpContext context)
    {
        if (!Bodies.ContainsKey(id))
            return Results.Problem(statusCode: 404);
        var status = StatusAt(Looks.AddOrUpdate(id, 1, (_, looks) => looks + 1));
        if (status is "pending" or "running")
            context.Response.Headers.RetryAfter = "0";
        return Results.Json(View(id, status));
    }

    private IResult Outcomes(string id)
    {
        var lines = new StringBuilder();
        var items = Bodies[id]["items"]!.AsArray();
        for (var i = 0; i < items.Count; i++)
        {
            var line = OutcomeOf(items[i]!);
            line["index"] = i;
            line["key"] = items[i]!["id"]!.ToString();
            lines.Append(line.ToJsonString()).Append('\n');
        }
        return Results.Text(lines.ToString(), "application/x-ndjson");
    }

    private JsonObject View(string id, string status) => new()
    {
        ["jobId"] = id,
        ["operation"] = "update_orders",
        ["status"] = status,
        ["totalItems"] = Bodies[id]["items"]!.AsArray().Count,
        ["resultUrl"] = status == "completed" ? new Uri(Address, $"/results/{id}?sig=1").AbsoluteUri : null,
        ["failure"] = Failure?.DeepClone(),
        ["links"] = new JsonObject { ["self"] = $"/v1/bulk-jobs/{id}" },
    };
}
