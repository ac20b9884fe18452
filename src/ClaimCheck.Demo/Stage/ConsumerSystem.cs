using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Demo.Stage;

/// <summary>A consumer system that knows nothing about ClaimCheck: it accepts signed notices.</summary>
internal sealed class ConsumerSystem : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Channel<JsonNode> notices = Channel.CreateUnbounded<JsonNode>();
    private WebApplication? app;

    public string Secret { get; } = WebhookSignature.NewSecret();

    public Uri Address { get; private set; } = null!;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.MapPost("/hooks/exports", ReceiveAsync);
        await app.StartAsync(cancellationToken);
        Address = new Uri(new Uri(app.Urls.First()), "hooks/exports");
    }

    /// <summary>The next notice, in whatever order they come.</summary>
    public async Task<JsonNode> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await notices.Reader.ReadAsync(cancellationToken).AsTask().WaitAsync(Patience, cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new DemoException($"No notice came within {Patience.TotalSeconds} seconds.", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
            await app.DisposeAsync();
    }

    private async Task<IResult> ReceiveAsync(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        var isGenuine = WebhookSignature.Verify(
            [Secret], request.Headers[WebhookSignature.IdHeader], request.Headers[WebhookSignature.TimestampHeader],
            request.Headers[WebhookSignature.SignatureHeader], body.ToArray(), TimeProvider.System.GetUtcNow());
        if (!isGenuine)
            return Results.Unauthorized();
        notices.Writer.TryWrite(JsonNode.Parse(body.ToArray())!);
        return Results.NoContent();
    }
}
