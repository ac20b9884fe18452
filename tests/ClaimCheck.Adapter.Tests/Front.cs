using System.Collections.Concurrent;
using ClaimCheck.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Adapter.Tests;

/// <summary>Stands before the service: takes receipts, counts requests, and can keep an answer back until the
/// asker is dead.</summary>
internal sealed class Front : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly HttpClient service;
    private TaskCompletionSource? held;

    private Front(WebApplication app, Uri service)
    {
        this.app = app;
        this.service = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { BaseAddress = service };
    }

    public Uri Address => new(app.Urls.Single());

    /// <summary>Receipts as they came: consumer and report.</summary>
    public ConcurrentQueue<(string Batch, string Consumer, ReceiptReport Report)> Receipts { get; } = new();

    /// <summary>Idempotency keys of the exports that were asked for.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>Answers requests for exports itself, with this status; null hands them on.</summary>
    public int? ExportAnswer { get; set; }

    /// <summary>Statuses that the next receipts are answered with.</summary>
    public ConcurrentQueue<int> ReceiptAnswers { get; } = new();

    public static async Task<Front> StartAsync(Uri service)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var front = new Front(builder.Build(), service);
        front.app.MapPut("/v1/batches/{batch}/receipts/{consumer}", front.TakeAsync);
        front.app.MapFallback(front.ForwardAsync);
        await front.app.StartAsync();
        return front;
    }

    /// <summary>The answer to the next request for an export reaches nobody.</summary>
    /// <returns>Completed once the service has answered.</returns>
    public Task HoldNextAnswer() => (held = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        service.Dispose();
    }

    private async Task<IResult> TakeAsync(string batch, string consumer, HttpContext context)
    {
        if (ReceiptAnswers.TryDequeue(out var status))
            return Results.StatusCode(status);
        Receipts.Enqueue((batch, consumer, (await context.Request.ReadFromJsonAsync<ReceiptReport>(ClaimCheckJson.Options))!));
        return Results.Ok();
    }

    private async Task ForwardAsync(HttpContext context)
    {
        var isExport = context.Request.Method == "POST" && context.Request.Path == "/v1/exports";
        if (isExport)
            Asked.Enqueue(context.Request.Headers["Idempotency-Key"].ToString().Trim('"'));
        if (isExport && ExportAnswer is { } refusal)
        {
            context.Response.StatusCode = refusal;
            return;
        }

        using var request = new HttpRequestMessage(
            new HttpMethod(context.Request.Method), context.Request.Path + context.Request.QueryString);
        if (context.Request.ContentLength > 0)
        {
            request.Content = new StreamContent(context.Request.Body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", context.Request.ContentType);
        }

        foreach (var name in new[] { "Authorization", "Idempotency-Key", "Prefer", "ClaimCheck-Consumer", "Accept" })
        {
            if (context.Request.Headers.TryGetValue(name, out var values))
                request.Headers.TryAddWithoutValidation(name, values.ToString());
        }

        using var response = await service.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        if (isExport && Interlocked.Exchange(ref held, null) is { } answered)
        {
            answered.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        context.Response.StatusCode = (int)response.StatusCode;
        context.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        if (response.Headers.RetryAfter is { } retryAfter)
            context.Response.Headers.RetryAfter = retryAfter.ToString();
        await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }
}
