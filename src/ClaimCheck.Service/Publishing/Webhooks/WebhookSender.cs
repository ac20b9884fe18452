using System.Net.Http.Headers;

namespace ClaimCheck.Service.Publishing.Webhooks;

/// <summary>The address of a webhook, which may be a secret; and its media type, null for the default.</summary>
internal sealed record Webhook(string Endpoint, string? ContentType)
{
    public override string ToString() => nameof(Webhook);
}

/// <summary>How a try ended.</summary>
/// <param name="Status">Null where there was no answer.</param>
/// <param name="Failure">A word of <see cref="WebhookDelivery.LastFailure"/>; null where it was delivered.</param>
/// <param name="RetryAfter">How long the endpoint asks to wait, or null.</param>
/// <param name="Took">How long it took.</param>
internal sealed record WebhookAnswer(int? Status, string? Failure, TimeSpan? RetryAfter, TimeSpan Took)
{
    public const string Gone = "gone";
    public const string Internal = "internal_error";

    /// <summary>Nothing was sent: the failure is this service's own.</summary>
    public static WebhookAnswer None { get; } = new(null, Internal, null, TimeSpan.Zero);

    public bool IsDelivered => Failure is null;
}

/// <summary>Posts signed events. It follows no redirect, uses no proxy but the one that is set for webhooks (another would bypass
/// the checks of addresses), keeps no cookie, and reads next to nothing of the answer. No message contains the address, which may
/// be a secret.</summary>
internal sealed class WebhookSender : IDisposable
{
    private const int MostRead = 4 << 10;
    private static readonly string Agent = $"ClaimCheck/{typeof(WebhookSender).Assembly.GetName().Version?.ToString(3)}";
    private readonly WebhookAddresses addresses;
    private readonly WebhookOptions options;
    private readonly TimeProvider time;
    private readonly HttpMessageInvoker http;

    public WebhookSender(WebhookAddresses addresses, WebhookOptions options, TimeProvider time)
    {
        (this.addresses, this.options, this.time) = (addresses, options, time);
        http = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = options.Proxy is not null,
            Proxy = options.NewProxy(),
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null, // the event's own trace is sent
            ConnectCallback = (context, cancellationToken) => addresses.ConnectAsync(context.DnsEndPoint, cancellationToken),
            ConnectTimeout = options.Timeout,
            MaxConnectionsPerServer = Math.Max(options.PerSubscription, 16),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxResponseHeadersLength = 16, // KiB
            MaxResponseDrainSize = MostRead,
            ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        });
    }

    /// <param name="hook">The address and the media type.</param>
    /// <param name="secrets">All valid secrets: each signs.</param>
    /// <param name="id">The event's id, the same on each try.</param>
    /// <param name="traceParent">The event's trace.</param>
    /// <param name="body">The event.</param>
    /// <param name="cancellationToken">Cancels the try; the endpoint may have received it.</param>
    public async Task<WebhookAnswer> SendAsync(
        Webhook hook, IReadOnlyList<string> secrets, string id, string traceParent, byte[] body,
        CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Timeout);
        try
        {
            using var request = Request(hook, secrets, id, traceParent, body);
            addresses.ThrowIfBlocked(request.RequestUri!);
            // Only the head: the unread body is dropped, with the connection where it is long.
            using var response = await http.SendAsync(request, limit.Token);
            return new(
                (int)response.StatusCode, FailureOf(response.StatusCode), RetryAfter(response), time.GetElapsedTime(began));
        }
        catch (Exception e) when (e is HttpRequestException or IOException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new(null, FailureOf(e), null, time.GetElapsedTime(began));
        }
    }

    public void Dispose() => http.Dispose();

    private HttpRequestMessage Request(Webhook hook, IReadOnlyList<string> secrets, string id, string traceParent, byte[] body)
    {
        var now = time.GetUtcNow();
        var request = new HttpRequestMessage(HttpMethod.Post, hook.Endpoint) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(hook.ContentType ?? WebhookContentType.Default);
        request.Headers.TryAddWithoutValidation("User-Agent", Agent);
        request.Headers.TryAddWithoutValidation("traceparent", traceParent);
        request.Headers.TryAddWithoutValidation(WebhookSignature.IdHeader, id);
        request.Headers.TryAddWithoutValidation(WebhookSignature.TimestampHeader, now.ToUnixTimeSeconds().ToString());
        request.Headers.TryAddWithoutValidation(
            WebhookSignature.SignatureHeader,
            string.Join(' ', secrets.Select(secret => WebhookSignature.Sign(secret, id, now, body))));
        return request;
    }

    private static string? FailureOf(HttpStatusCode status) => (int)status switch
    {
        >= 200 and < 300 => null,
        >= 300 and < 400 => "redirect",
        410 => WebhookAnswer.Gone,
        _ => "status",
    };

    private static string FailureOf(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case BlockedAddressException:
                    return "blocked_address";
                case OperationCanceledException or TimeoutException:
                    return "timeout";
                case HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError }:
                    return "proxy_failed";
                case HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }:
                    return "tls_failed";
                case HttpRequestException
                {
                    HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded,
                }:
                    return "invalid_answer";
            }
        }

        return "unreachable";
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        if (response.Headers.RetryAfter is not { } asked)
            return null;
        return asked.Delta ?? (asked.Date is { } date && date - time.GetUtcNow() is { Ticks: > 0 } left ? left : null);
    }
}
