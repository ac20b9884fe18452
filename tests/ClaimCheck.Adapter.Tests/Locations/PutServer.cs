using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Adapter.Tests.Locations;

/// <summary>An HTTP server that takes PUTs: of plain ones each is seen whole or not at all; with WebDAV also half of them, as a
/// file server shows them.</summary>
internal sealed class PutServer : IAsyncDisposable
{
    public const string Authorization = "Bearer of-the-location";
    private readonly WebApplication app;
    private readonly bool webDav;

    private PutServer(bool webDav)
    {
        this.webDav = webDav;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        app = builder.Build();
        app.Run(HandleAsync);
    }

    public Uri Address => new(app.Urls.Single());

    public ConcurrentDictionary<string, (byte[] Content, DateTimeOffset At)> Files { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, bool> Folders { get; } = new(StringComparer.Ordinal);

    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>Answers instead, where it gives one.</summary>
    public Func<HttpRequest, int?> Refusal { get; set; } = _ => null;

    public static async Task<PutServer> StartAsync(bool webDav)
    {
        var server = new PutServer(webDav);
        server.Folders["drop"] = true;
        await server.app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task HandleAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var path = request.Path.Value!.Trim('/');
        Requests.Enqueue($"{request.Method} {path}");
        if (request.Headers.Authorization != Authorization)
            response.StatusCode = 401;
        else if (Refusal(request) is { } status)
            (response.StatusCode, response.Headers.Location) = (status, status is > 300 and < 400 ? "/elsewhere" : default);
        else
            response.StatusCode = await AnswerAsync(context, path);
        if (response.StatusCode == 207)
            await ListAsync(response, path);
        else if (response.StatusCode == 200 && Files.TryGetValue(path, out var file))
            await SendAsync(request, response, file.Content);
    }

    private async Task<int> AnswerAsync(HttpContext context, string path)
    {
        var request = context.Request;
        var parent = path.Contains('/') ? path[..path.LastIndexOf('/')] : "";
        switch (request.Method)
        {
            case "PUT":
                if (webDav && !Folders.ContainsKey(parent))
                    return 409;
                return await PutAsync(request, path);
            case "GET" or "HEAD":
                return Files.ContainsKey(path) ? 200 : 404;
            case "DELETE":
                foreach (var inside in Files.Keys.Where(key => key.StartsWith(path + "/", StringComparison.Ordinal)))
                    Files.TryRemove(inside, out _);
                return Files.TryRemove(path, out _) | Folders.TryRemove(path, out _) ? 204 : 404;
            case "MKCOL" when webDav:
                return !Folders.ContainsKey(parent) ? 409 : Folders.TryAdd(path, true) ? 201 : 405;
            case "MOVE" when webDav:
                if (!Files.TryRemove(path, out var moved))
                    return 404;
                Files[Uri.UnescapeDataString(new Uri(request.Headers["Destination"]!).AbsolutePath).Trim('/')] = moved;
                return 201;
            case "PROPFIND" when webDav && request.Headers["Depth"] == "1":
                return Folders.ContainsKey(path) ? 207 : 404;
            default:
                return 405;
        }
    }

    private async Task<int> PutAsync(HttpRequest request, string path)
    {
        using var content = new MemoryStream();
        var buffer = new byte[64 << 10];
        while (await request.Body.ReadAsync(buffer) is > 0 and var read)
        {
            content.Write(buffer, 0, read);
            if (webDav)
                Files[path] = (content.ToArray(), DateTimeOffset.UnixEpoch);
        }
        if (request.Headers["Content-Digest"] is { Count: 1 } digest
            && digest != $"sha-256=:{Convert.ToBase64String(SHA256.HashData(content.ToArray()))}:")
            return 400;
        Files[path] = (content.ToArray(), TimeProvider.System.GetUtcNow());
        return 201;
    }

    private static async Task SendAsync(HttpRequest request, HttpResponse response, byte[] content)
    {
        response.ContentLength = content.Length;
        response.Headers["Repr-Digest"] = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(content))}:";
        if (request.Method == "GET")
            await response.Body.WriteAsync(content);
    }

    private Task ListAsync(HttpResponse response, string folder)
    {
        bool IsInside(string key) =>
            key.StartsWith(folder + "/", StringComparison.Ordinal) && key.IndexOf('/', folder.Length + 1) < 0;
        static string Address(string key) => "/" + string.Join('/', key.Split('/').Select(Uri.EscapeDataString));
        var entries = Folders.Keys.Where(key => key == folder || IsInside(key))
            .Select(key =>
                $"<D:response><D:href>{Address(key)}/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop></D:propstat></D:response>")
            .Concat(Files.Where(file => IsInside(file.Key))
                .Select(file => "<D:response><D:href>"
                    + $"{Address(file.Key)}</D:href><D:propstat><D:prop><D:resourcetype/><D:getcontentlength>"
                    + $"{file.Value.Content.Length}</D:getcontentlength><D:getlastmodified>"
                    + $"{file.Value.At:R}</D:getlastmodified></D:prop></D:propstat></D:response>"));
        return response.WriteAsync(
            $"""<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">{string.Concat(entries)}</D:multistatus>""");
    }
}
