using System.Text.Json;
using Amazon.Runtime;
using Amazon.SQS;
using ClaimCheck.Aws;
using ClaimCheck.Aws.SimpleNotificationService;

namespace ClaimCheck.Testing;

/// <summary>
/// A real SNS and SQS server, one for the test process: <c>AWS_ENDPOINT_URL_SNS</c> and <c>AWS_ENDPOINT_URL_SQS</c>, or
/// <c>AWS_ENDPOINT_URL</c>, where set; else LocalStack where Docker runs; else fauxqs, which is started at first use and goes
/// with the process. Without any a test fails.
/// </summary>
internal sealed class QueueEndpoint
{
    private static readonly Lazy<Task<QueueEndpoint>> Shared = new(StartAsync);

    private QueueEndpoint(string snsUrl, string sqsUrl, string accessKey, string secretKey)
    {
        (SnsUrl, SqsUrl) = (new Uri(snsUrl), new Uri(sqsUrl));
        (AccessKey, SecretKey) = (accessKey, secretKey);
        Sns = new AmazonSimpleNotificationServiceClient(OptionsFor(SnsUrl));
        Sqs = ClaimCheck.Aws.Sqs.Connect(OptionsFor(SqsUrl));
    }

    public Uri SnsUrl { get; }
    public Uri SqsUrl { get; }
    public string AccessKey { get; }
    public string SecretKey { get; }
    public string Region { get; } = S3Endpoint.Variable("AWS_REGION") ?? "us-east-1";

    /// <summary>Clients with all rights. Not to be disposed.</summary>
    public AmazonSimpleNotificationServiceClient Sns { get; }
    public IAmazonSQS Sqs { get; }

    /// <summary>
    /// What a process needs in its environment to reach this endpoint. fauxqs takes any keys; these are the S3 test server's, so
    /// both environments can be merged.
    /// </summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["AWS_ENDPOINT_URL_SNS"] = SnsUrl.GetLeftPart(UriPartial.Authority),
        ["AWS_ENDPOINT_URL_SQS"] = SqsUrl.GetLeftPart(UriPartial.Authority),
        ["AWS_ACCESS_KEY_ID"] = AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = SecretKey,
        ["AWS_REGION"] = Region,
    };

    public static Task<QueueEndpoint> GetAsync() => Shared.Value;

    /// <summary>For clients that reach the same server through another address, such as a proxy's.</summary>
    public AwsMessagingOptions OptionsFor(Uri url) => new()
    {
        ServiceUrl = url,
        Region = Region,
        Credentials = new BasicAWSCredentials(AccessKey, SecretKey),
    };

    /// <summary>A new topic with a name of its own.</summary>
    /// <returns>Its ARN.</returns>
    public Task<string> NewTopicAsync(bool fifo = false) =>
        fifo
            ? Sns.CreateAsync(NewName() + ".fifo", new Dictionary<string, string> { ["FifoTopic"] = "true" })
            : Sns.CreateAsync(NewName());

    /// <summary>A new queue with a name and a dead letter queue of its own.</summary>
    /// <param name="topicArn">The topic that it is subscribed to; null for none.</param>
    /// <param name="subscription">How; by default raw delivery of everything.</param>
    /// <param name="maxReceiveCount">How often a message is handed out before it goes to the dead letter queue.</param>
    /// <param name="visibility">How long a message stays hidden; 30 seconds by default, whole seconds.</param>
    /// <param name="fifo">Whether both queues are FIFO queues, duplicates told apart by content.</param>
    public async Task<TestQueue> NewQueueAsync(
        string? topicArn = null, SubscriptionOptions? subscription = null, int maxReceiveCount = 3, TimeSpan? visibility = null,
        bool fifo = false)
    {
        var (name, suffix) = (NewName(), fifo ? ".fifo" : "");
        var kind = fifo
            ? new Dictionary<string, string> { ["FifoQueue"] = "true", ["ContentBasedDeduplication"] = "true" }
            : [];
        var deadLetterUrl = await Sqs.CreateAsync(
            $"{name}-dead{suffix}", new Dictionary<string, string>(kind) { ["MessageRetentionPeriod"] = "1209600" });
        var deadLetterArn = await ArnAsync(deadLetterUrl);
        var url = await Sqs.CreateAsync(name + suffix, new Dictionary<string, string>(kind)
        {
            ["VisibilityTimeout"] = $"{(int)(visibility ?? TimeSpan.FromSeconds(30)).TotalSeconds}",
            ["RedrivePolicy"] = JsonSerializer.Serialize(new { deadLetterTargetArn = deadLetterArn, maxReceiveCount }),
        });
        var arn = await ArnAsync(url);
        string? subscriptionArn = null;
        if (topicArn is not null)
        {
            await Sqs.SetQueueAttributesAsync(url, new Dictionary<string, string> { ["Policy"] = PolicyFor(arn, topicArn) });
            subscriptionArn = await Sns.SubscribeAsync(topicArn, arn, subscription);
        }
        return new TestQueue(url, arn, deadLetterUrl, deadLetterArn, subscriptionArn);
    }

    private async Task<string> ArnAsync(string queueUrl) => (await Sqs.AttributesAsync(queueUrl))["QueueArn"];

    private static string NewName() => $"test-{Guid.NewGuid():N}";

    private static string PolicyFor(string queueArn, string topicArn) => JsonSerializer.Serialize(new
    {
        Version = "2012-10-17",
        Statement = new[]
        {
            new
            {
                Effect = "Allow",
                Principal = new { Service = "sns.amazonaws.com" },
                Action = "sqs:SendMessage",
                Resource = queueArn,
                Condition = new { ArnEquals = new Dictionary<string, string> { ["aws:SourceArn"] = topicArn } },
            },
        },
    });

    private static async Task<QueueEndpoint> StartAsync()
    {
        var both = S3Endpoint.Variable("AWS_ENDPOINT_URL");
        if ((S3Endpoint.Variable("AWS_ENDPOINT_URL_SNS") ?? both) is { } sns
            && (S3Endpoint.Variable("AWS_ENDPOINT_URL_SQS") ?? both) is { } sqs)
            return new QueueEndpoint(sns, sqs, S3Endpoint.Variable("AWS_ACCESS_KEY_ID") ?? "test",
                S3Endpoint.Variable("AWS_SECRET_ACCESS_KEY") ?? "test");
        if (await Containers.AwsUrlAsync() is { } url)
            return new QueueEndpoint(url, url, "test", "test");

        var script = Path.Combine(S3Endpoint.RepositoryRoot(), "infra", "test-servers", "queues.sh");
        var directory = Path.Combine(Path.GetTempPath(), $"claimcheck-queues-{System.Environment.ProcessId}");
        var started = await S3Endpoint.RunAsync(
            script, ["up", directory], ("QUEUES_WATCH_PID", $"{System.Environment.ProcessId}"));
        if (started.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"No SNS and SQS server was found to test with, and tests of them are not skipped. {started.Errors.Trim()}\n" +
                $"Install one (needs npm: {script} install), or run Docker, or name one in AWS_ENDPOINT_URL_SNS "
                + "and AWS_ENDPOINT_URL_SQS.");
        }
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
            S3Endpoint.RunAsync(script, ["down", directory]).Wait(TimeSpan.FromSeconds(20));
        var settings = started.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => pair[1]);
        return new QueueEndpoint(
            settings["AWS_ENDPOINT_URL_SNS"], settings["AWS_ENDPOINT_URL_SQS"], settings["AWS_ACCESS_KEY_ID"],
            settings["AWS_SECRET_ACCESS_KEY"]);
    }
}

/// <summary>A queue of a test's own.</summary>
/// <param name="Url">Of the queue.</param>
/// <param name="Arn">Of the queue.</param>
/// <param name="DeadLetterUrl">Of its dead letter queue.</param>
/// <param name="DeadLetterArn">Of its dead letter queue.</param>
/// <param name="SubscriptionArn">Where it is subscribed to a topic.</param>
internal sealed record TestQueue(string Url, string Arn, string DeadLetterUrl, string DeadLetterArn, string? SubscriptionArn);
