using System.Collections.Concurrent;
using System.Net;
using System.Net.Mime;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.SystemTextJson;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using StandardWebhooks;

namespace ClaimCheck.EndToEnd.Tests.Publishing;

/// <summary>What came to a webhook.</summary>
internal sealed record ReceivedHook(string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Id => Headers[WebhookSignature.IdHeader];

    public BulkEvent Event => JsonSerializer.Deserialize<BulkEvent>(Body, ClaimCheckJson.Options)!;

    public bool IsSignedWith(string secret) => WebhookSignature.Verify(
        [secret], Id, Headers[WebhookSignature.TimestampHeader], Headers[WebhookSignature.SignatureHeader], Body,
        TimeProvider.System.GetUtcNow());

    /// <summary>As a library of others reads it: throws where the signature does not hold.</summary>
    public void VerifyAsOthersDo(string secret) => new StandardWebhook(secret).Verify(
        Encoding.UTF8.GetString(Body),
        new HeaderDictionary(Headers.ToDictionary(header => header.Key, header => new StringValues(header.Value))));

    /// <summary>As a library of others reads it: throws where it is not a valid CloudEvent.</summary>
    public CloudEvent AsOthersRead() =>
        new JsonEventFormatter().DecodeStructuredModeMessage(Body, new ContentType(Headers["Content-Type"]), null);
}

/// <summary>A consumer's own server: keeps what comes, and answers as the test wants.</summary>
internal sealed class HookReceiver : IAsyncDisposable
{
    private readonly WebApplication server;
    private readonly ConcurrentQueue<ReceivedHook> received = new();
    private readonly CancellationTokenSource closing = new();

    private HookReceiver(WebApplication server)
    {
        this.server = server;
        server.Run(HandleAsync);
    }

    public IReadOnlyList<ReceivedHook> All => [.. received];

    /// <summary>Answers 204 unless the test says otherwise; the token ends with the server.</summary>
    public Func<ReceivedHook, HttpResponse, CancellationToken, Task> Answer { get; set; } = Taken;

    public static Task Taken(ReceivedHook hook, HttpResponse response, CancellationToken cancellationToken) =>
        Status(204)(hook, response, cancellationToken);

    public static Func<ReceivedHook, HttpResponse, CancellationToken, Task> Status(int status) => (_, response, _) =>
    {
        response.StatusCode = status;
        return Task.CompletedTask;
    };

    /// <summary>Never answers.</summary>
    public static Task Silence(ReceivedHook hook, HttpResponse response, CancellationToken cancellationToken) =>
        Task.Delay(Timeout.Infinite, cancellationToken);

    public string Url(string path = "/hooks") => server.Urls.Single() + path;

    public IReadOnlyList<ReceivedHook> At(string path) => [.. received.Where(hook => hook.Path == path)];

    public async Task<IReadOnlyList<ReceivedHook>> UntilAsync(int count, string path = "/hooks")
    {
        await Eventually.TrueAsync(() => Task.FromResult(At(path).Count >= count), what: $"{count} webhooks at {path}");
        return At(path);
    }

    /// <param name="certificate">Served over TLS with it; null: plain.</param>
    public static async Task<HookReceiver> StartAsync(X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null)
                listen.UseHttps(certificate);
        }));
        builder.Logging.ClearProviders();
        var receiver = new HookReceiver(builder.Build());
        await receiver.server.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await server.DisposeAsync();
        closing.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var hook = new ReceivedHook(
            context.Request.Path,
            context.Request.Headers.ToDictionary(
                header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray());
        received.Enqueue(hook);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, closing.Token);
        try
        {
            await Answer(hook, context.Response, ended.Token);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The caller has gone, or the test is over.
        }
    }
}
