using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using ClaimCheck.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Service.Tests.House;

/// <summary>All that must never be told.</summary>
internal sealed class Secrets
{
    private readonly List<(string What, string Secret)> all = [];
    private readonly List<string> links = [];

    public Secrets()
    {
        Add("the administrator's key", AdminKey);
        Add("a password", Password);
    }

    public string AdminKey { get; } = $"admin-{Guid.NewGuid():N}";
    public string Password { get; } = $"password-{Guid.NewGuid():N}";
    public IReadOnlyList<string> Links => links;
    public IReadOnlyList<(string What, string Secret)> All => all;

    public void Add(string what, string secret) => all.Add((what, secret));

    public void Add(Link link)
    {
        var query = System.Web.HttpUtility.ParseQueryString(new Uri(link.Reveal()).Query);
        var signature = query["sig"] ?? query["X-Amz-Signature"];
        Assert.True(signature?.Length > 32);
        links.Add(link.Reveal());
        // Some of it is enough to find it, also where a text was cut off.
        Add("a link's signature", signature[..16]);
    }

    public void AddLinkKeys(string file)
    {
        foreach (var key in JsonElement.Parse(File.ReadAllText(file)).GetProperty("keys").EnumerateArray())
            Add("a key that signs links", key.GetProperty("secret").GetString()!);
    }
}

/// <summary>Receives OTLP over HTTP and keeps the bytes.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication server;
    private readonly ConcurrentQueue<string> received = new();

    private Collector(WebApplication server)
    {
        this.server = server;
        server.Run(KeepAsync);
    }

    public string Address => server.Urls.Single();
    public string Text => string.Join('\n', received);

    public static async Task<Collector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var collector = new Collector(builder.Build());
        await collector.server.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private async Task KeepAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        received.Enqueue(Encoding.Latin1.GetString(body.ToArray()));
    }
}
