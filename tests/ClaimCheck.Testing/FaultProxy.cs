using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Testing;

/// <summary>
/// A reverse proxy on loopback that does to requests what networks and servers do. Host, path and query pass unchanged, byte
/// for byte, so that signatures hold (they are made for the proxy's address then).
/// </summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly HttpMessageInvoker http;
    private readonly Uri upstream;
    private readonly List<Rule> rules = [];
    private readonly ConcurrentQueue<ProxiedRequest> requests = [];
    private readonly CancellationTokenSource closing = new();

    private FaultProxy(Uri upstream)
    {
        this.upstream = upstream;
        http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
        });
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.AddServerHeader = false;
        });
        builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.AllowSynchronousIO = false);
        app = builder.Build();
        app.Run(HandleAsync);
    }

    /// <summary>Where clients go instead of upstream.</summary>
    public Uri Url => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>Every request so far, oldest first.</summary>
    public IReadOnlyCollection<ProxiedRequest> Requests => requests;

    public static async Task<FaultProxy> StartAsync(Uri upstream)
    {
        var proxy = new FaultProxy(upstream);
        await proxy.app.StartAsync();
        return proxy;
    }

    /// <summary>From now on, does this to the requests that match, as many times as said. Earlier rules come first.</summary>
    public void On(Func<ProxiedRequest, bool> matches, Fault fault, int times = int.MaxValue)
    {
        lock (rules)
            rules.Add(new Rule(matches, fault) { Left = times });
    }

    /// <summary>Requests pass unharmed again. Those that are stalled stay so.</summary>
    public void Heal()
    {
        lock (rules)
            rules.Clear();
    }

    public int Count(Func<ProxiedRequest, bool> matches) => requests.Count(matches);

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
        http.Dispose();
        closing.Dispose();
    }

    private Fault? FaultFor(ProxiedRequest request)
    {
        lock (rules)
        {
            if (rules.Find(rule => rule.Left > 0 && rule.Matches(request)) is not { } rule)
                return null;
            rule.Left--;
            return rule.Fault;
        }
    }

    private async Task HandleAsync(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var request =
            new ProxiedRequest(context.Request.Method, target) { Action = context.Request.Headers["X-Amz-Target"].ToString() };
        requests.Enqueue(request);
        var fault = FaultFor(request);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, closing.Token);
        try
        {
            switch (fault)
            {
                case Fault.Answer answer:
                    await DrainAsync(context.Request, stop.Token);
                    await AnswerAsync(context, answer, stop.Token);
                    return;
                case Fault.Stall:
                    await Task.Delay(Timeout.Infinite, stop.Token);
                    return;
                case Fault.Hold hold:
                    await hold.Until.WaitAsync(stop.Token);
                    break;
            }

            using var answered = await http.SendAsync(Forward(context, target, fault), stop.Token);
            if (fault is Fault.AnswerInstead instead)
                await AnswerAsync(context, instead.With, stop.Token);
            else
                await ReturnAsync(context, answered, request, fault, stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException or IOException or SocketException)
        {
            context.Abort();
        }
    }

    private HttpRequestMessage Forward(HttpContext context, string target, Fault? fault)
    {
        var address = new Uri(
            upstream.GetLeftPart(UriPartial.Authority) + target,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), address);
        if (context.Request.ContentLength is not null || context.Request.Headers.TransferEncoding.Count > 0)
            request.Content = new StreamContent(new HarmedStream(context.Request.Body, fault as Fault.OnRequestBody));
        foreach (var (name, values) in context.Request.Headers)
        {
            // Those that belong to one connection only. Transfer-Encoding is written anew by the client.
            if (name is "Connection" or "Expect" or "Transfer-Encoding" or "Keep-Alive")
                continue;
            if (!request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
                request.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }
        return request;
    }

    private static async Task ReturnAsync(
        HttpContext context, HttpResponseMessage answered, ProxiedRequest request, Fault? fault,
        CancellationToken cancellationToken)
    {
        context.Response.StatusCode = (int)answered.StatusCode;
        foreach (var (name, values) in answered.Headers.Concat(answered.Content.Headers))
        {
            if (name is not ("Connection" or "Transfer-Encoding" or "Keep-Alive"))
                context.Response.Headers.Append(name, values.ToArray());
        }
        if (fault is Fault.TruncateResponse)
            context.Response.ContentLength = null; // ends in good order, so that only its reader can tell
        if (HttpMethods.IsHead(context.Request.Method)
            || answered.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified)
            return;
        await using var body = new HarmedStream(
            await answered.Content.ReadAsStreamAsync(cancellationToken), fault as Fault.OnResponseBody, request.Answered);
        await body.CopyToAsync(context.Response.Body, cancellationToken);
    }

    private static async Task DrainAsync(HttpRequest request, CancellationToken cancellationToken) =>
        await request.Body.CopyToAsync(Stream.Null, cancellationToken);

    private static Task AnswerAsync(HttpContext context, Fault.Answer answer, CancellationToken cancellationToken)
    {
        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = answer.ContentType;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : context.Response.WriteAsync(answer.Body, cancellationToken);
    }

    private sealed record Rule(Func<ProxiedRequest, bool> Matches, Fault Fault)
    {
        public int Left { get; set; }
    }
}
