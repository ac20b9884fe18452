using System.Collections.Concurrent;
using System.Text;
using Amazon.Runtime;
using Amazon.SQS;
using ClaimCheck.Aws.SimpleNotificationService;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Aws.Tests;

/// <summary>A server with scripted answers, one after the other, the last one repeatedly.</summary>
internal sealed class ScriptedEndpoint : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<Func<HttpContext, Task>> script = new();
    private readonly List<SeenRequest> requests = [];

    private ScriptedEndpoint(WebApplication app, IEnumerable<Func<HttpContext, Task>> answers)
    {
        this.app = app;
        foreach (var answer in answers)
            script.Enqueue(answer);
    }

    public Uri Url => new(app.Urls.First());

    public IReadOnlyList<SeenRequest> Requests
    {
        get
        {
            lock (requests)
                return [.. requests];
        }
    }

    public static async Task<ScriptedEndpoint> StartAsync(params IEnumerable<Func<HttpContext, Task>> answers)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var endpoint = new ScriptedEndpoint(builder.Build(), answers);
        endpoint.app.Run(endpoint.AnswerAsync);
        await endpoint.app.StartAsync();
        return endpoint;
    }

    public IAmazonSQS Sqs(TimeSpan? timeout = null, int maxAttempts = 3) => Aws.Sqs.Connect(Options(timeout, maxAttempts));

    public AmazonSimpleNotificationServiceClient Sns(TimeSpan? timeout = null, int maxAttempts = 3) =>
        new(Options(timeout, maxAttempts));

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private AwsMessagingOptions Options(TimeSpan? timeout, int maxAttempts) => new()
    {
        ServiceUrl = Url,
        Region = "eu-central-1",
        Credentials = new SessionAWSCredentials("AKIDTEST", "the-secret-key", "the-session-token"),
        Timeout = timeout ?? TimeSpan.FromSeconds(10),
        MaxAttempts = maxAttempts,
    };

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync();
        lock (requests)
            requests.Add(new SeenRequest(context.Request.Headers.ToDictionary(
                header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase), body));
        var answer = script.Count > 1 && script.TryDequeue(out var next) ? next : script.First();
        await answer(context);
    }
}

internal sealed record SeenRequest(IReadOnlyDictionary<string, string> Headers, string Body);
