using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.S3.Util;
using Amazon.SQS;
using ClaimCheck.Aws;
using ClaimCheck.Aws.SimpleNotificationService;

namespace ClaimCheck.Demo.Stage;

/// <summary>
/// S3, SNS and SQS, with a bucket, a topic and a queue of this run: on the servers that <c>AWS_ENDPOINT_URL</c> (or
/// <c>AWS_ENDPOINT_URL_S3</c>, <c>_SNS</c> and <c>_SQS</c>) names, else on test servers of this run. AWS itself is never reached.
/// </summary>
internal sealed class AwsServers : IAsyncDisposable
{
    private readonly DemoFolder folder = new();
    private readonly List<TestServer> started = [];
    private readonly string name = $"claimcheck-demo-{Guid.NewGuid().ToString("N")[..12]}";
    private readonly Dictionary<string, string?> environment = [];
    private AmazonS3Client? s3;
    private AmazonSimpleNotificationServiceClient? sns;
    private IAmazonSQS? sqs;
    private TopicAndQueue? messaging;

    public Uri S3Url => new(environment["AWS_ENDPOINT_URL_S3"]!);

    public Uri SnsUrl => new(environment["AWS_ENDPOINT_URL_SNS"]!);

    public Uri SqsUrl => new(environment["AWS_ENDPOINT_URL_SQS"]!);

    public string Bucket => name;

    public TopicAndQueue Messaging => messaging ?? throw new DemoException("The topic has not been created yet.");

    /// <summary>The environment with which a process reaches all three; null removes a variable.</summary>
    public IReadOnlyDictionary<string, string?> ForConsumer => environment;

    /// <summary>That, and the service's two settings.</summary>
    public IReadOnlyDictionary<string, string?> ForService => new Dictionary<string, string?>(environment)
    {
        ["ClaimCheck__Staging__Bucket"] = Bucket,
        ["ClaimCheck__Publishing__TopicArn"] = Messaging.TopicArn,
    };

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Both at once: most of it is waiting. S3's keys win: SNS and SQS servers for tests accept any.
        var starting = new[] { QueuesAsync(), S3Async() };
        await Task.WhenAll(starting);
        foreach (var (variable, value) in starting.SelectMany(each => each.Result))
            environment[variable] = value;
        cancellationToken.ThrowIfCancellationRequested();

        var region = environment["AWS_REGION"]!;
        var (key, secret) = (environment["AWS_ACCESS_KEY_ID"]!, environment["AWS_SECRET_ACCESS_KEY"]!);
        AWSCredentials credentials = Variable("AWS_SESSION_TOKEN") is { } token && !environment.ContainsKey("AWS_SESSION_TOKEN")
            ? new SessionAWSCredentials(key, secret, token)
            : new BasicAWSCredentials(key, secret);
        var config = new AmazonS3Config { ForcePathStyle = true };
        S3Setup.Apply(config, S3Url.ToString(), region, TimeSpan.FromSeconds(60));
        s3 = new AmazonS3Client(credentials, config);
        await s3.PutBucketAsync(new PutBucketRequest { BucketName = Bucket }, cancellationToken);
        sns = new AmazonSimpleNotificationServiceClient(
            new AwsMessagingOptions { ServiceUrl = SnsUrl, Region = region, Credentials = credentials });
        sqs = Sqs.Connect(new AwsMessagingOptions { ServiceUrl = SqsUrl, Region = region, Credentials = credentials });
        messaging = await TopicAndQueue.CreateAsync(sns, sqs, name, cancellationToken);
    }

    /// <summary>Stops what was started; on existing servers removes what was created.</summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            if (started.Count < 2 && messaging is not null)
                await messaging.DeleteAsync(sns!, sqs!, patience.Token);
            if (started.Count < 2 && s3 is not null)
                await AmazonS3Util.DeleteS3BucketWithObjectsAsync(s3, Bucket, patience.Token);
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or AwsMessagingException
            or HttpRequestException or OperationCanceledException)
        {
            Console.Error.WriteLine($"Not everything that the demo created, named {name}, could be deleted: {e.Message}");
        }
        s3?.Dispose();
        sns?.Dispose();
        sqs?.Dispose();
        await Task.WhenAll(started.Select(server => server.DownAsync()));
        await folder.RemoveAsync();
    }

    private async Task<Dictionary<string, string?>> S3Async()
    {
        if ((Variable("AWS_ENDPOINT_URL_S3") ?? Variable("AWS_ENDPOINT_URL")) is { } url)
            return Configured(("AWS_ENDPOINT_URL_S3", url));
        return await UpAsync("s3.sh", "s3", "S3_WATCH_PID");
    }

    private async Task<Dictionary<string, string?>> QueuesAsync()
    {
        var both = Variable("AWS_ENDPOINT_URL");
        if ((Variable("AWS_ENDPOINT_URL_SNS") ?? both) is { } snsUrl && (Variable("AWS_ENDPOINT_URL_SQS") ?? both) is { } sqsUrl)
            return Configured(("AWS_ENDPOINT_URL_SNS", snsUrl), ("AWS_ENDPOINT_URL_SQS", sqsUrl));
        return await UpAsync("queues.sh", "queues", "QUEUES_WATCH_PID");
    }

    private async Task<Dictionary<string, string?>> UpAsync(string script, string place, string watchVariable)
    {
        var server = new TestServer(script, Path.Combine(folder.Path, place));
        lock (started)
            started.Add(server);
        var settings = (await server.UpAsync(watchVariable)).ToDictionary(each => each.Key, each => (string?)each.Value);
        // This machine may be configured for another account.
        foreach (var other in (string[])["AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"])
            settings[other] = null;
        return settings;
    }

    private static Dictionary<string, string?> Configured(params (string Name, string Value)[] endpoints)
    {
        var settings = endpoints.ToDictionary(each => each.Name, each => (string?)each.Value);
        settings["AWS_ACCESS_KEY_ID"] = Variable("AWS_ACCESS_KEY_ID") ?? "test";
        settings["AWS_SECRET_ACCESS_KEY"] = Variable("AWS_SECRET_ACCESS_KEY") ?? "test";
        settings["AWS_REGION"] = Variable("AWS_REGION") ?? "us-east-1";
        settings["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = null;
        return settings;
    }

    private static string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
