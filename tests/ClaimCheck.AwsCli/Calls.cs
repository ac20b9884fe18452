using System.Text.Json.Nodes;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.SQS;
using ClaimCheck.Aws;
using ClaimCheck.Aws.SimpleNotificationService;

namespace ClaimCheck.AwsCli;

/// <summary>The calls, at the endpoints that the environment names.</summary>
internal sealed class Calls : IDisposable
{
    private readonly BasicAWSCredentials credentials = new(Variable("AWS_ACCESS_KEY_ID"), Variable("AWS_SECRET_ACCESS_KEY"));
    private readonly string region = Variable("AWS_REGION");
    private readonly Lazy<AmazonS3Client> s3;
    private readonly Lazy<AmazonSimpleNotificationServiceClient> sns;
    private readonly Lazy<IAmazonSQS> sqs;

    public Calls()
    {
        s3 = new(() => new AmazonS3Client(
            credentials,
            new AmazonS3Config { ServiceURL = Endpoint("S3"), AuthenticationRegion = region, ForcePathStyle = true }));
        sns = new(() => new AmazonSimpleNotificationServiceClient(OptionsFor("SNS")));
        sqs = new(() => Sqs.Connect(OptionsFor("SQS")));
    }

    public async Task<JsonObject?> RunAsync(CommandLine call)
    {
        switch (call.Operation)
        {
            case "s3api head-bucket":
                await s3.Value.HeadBucketAsync(new HeadBucketRequest { BucketName = call["--bucket"] });
                return new JsonObject { ["BucketRegion"] = region };
            case "s3api create-bucket":
                await s3.Value.PutBucketAsync(
                    new PutBucketRequest { BucketName = call["--bucket"], PutBucketConfiguration = Place(call) });
                return new JsonObject { ["Location"] = "/" + call["--bucket"] };
            case "sns create-topic":
                return new JsonObject
                {
                    ["TopicArn"] = (await sns.Value.CreateTopicAsync(new CreateTopicRequest { Name = call["--name"] })).TopicArn,
                };
            case "sns subscribe":
                return new JsonObject { ["SubscriptionArn"] = await SubscribeAsync(call) };
            case "sns set-subscription-attributes":
                await sns.Value.SetSubscriptionAttributesAsync(
                    call["--subscription-arn"], call["--attribute-name"], call["--attribute-value"]);
                return null;
            case "sqs get-queue-url":
                return new JsonObject { ["QueueUrl"] = (await sqs.Value.GetQueueUrlAsync(call["--queue-name"])).QueueUrl };
            case "sqs create-queue":
                return new JsonObject { ["QueueUrl"] = (await sqs.Value.CreateQueueAsync(call["--queue-name"])).QueueUrl };
            case "sqs get-queue-attributes":
                var all = (await sqs.Value.GetQueueAttributesAsync(call["--queue-url"], ["All"])).Attributes;
                return new JsonObject
                {
                    ["Attributes"] = new JsonObject { [call["--attribute-names"]] = all[call["--attribute-names"]] },
                };
            case "sqs set-queue-attributes":
                await sqs.Value.SetQueueAttributesAsync(call["--queue-url"], call.Map("--attributes"));
                return null;
            default:
                throw new UsageException($"Unknown call '{call.Operation}'.");
        }
    }

    public void Dispose()
    {
        if (s3.IsValueCreated)
            s3.Value.Dispose();
        if (sns.IsValueCreated)
            sns.Value.Dispose();
        if (sqs.IsValueCreated)
            sqs.Value.Dispose();
    }

    // A subscription that there is already is the answer, as AWS has it; the emulator would make a second one, or refuse.
    private async Task<string> SubscribeAsync(CommandLine call)
    {
        if (call["--protocol"] != "sqs")
            throw new UsageException("--protocol is sqs here.");
        var page = await sns.Value.ListSubscriptionsByTopicAsync(call["--topic-arn"], null);
        if (page.Subscriptions.Find(item => item.Endpoint == call["--notification-endpoint"]) is { } there)
            return there.SubscriptionArn;
        var request = new SubscribeRequest
        {
            TopicArn = call["--topic-arn"],
            Protocol = "sqs",
            Endpoint = call["--notification-endpoint"],
            ReturnSubscriptionArn = true,
        };
        return (await sns.Value.SubscribeAsync(request)).SubscriptionArn;
    }

    private static PutBucketConfiguration? Place(CommandLine call) =>
        call.Find("--create-bucket-configuration") is null
            ? null
            : new PutBucketConfiguration { LocationConstraint = call.Map("--create-bucket-configuration")["LocationConstraint"] };

    private AwsMessagingOptions OptionsFor(string service) =>
        new() { ServiceUrl = new Uri(Endpoint(service)), Region = region, Credentials = credentials };

    // SQS's is also on the command line, the same one.
    private static string Endpoint(string service) =>
        Environment.GetEnvironmentVariable($"AWS_ENDPOINT_URL_{service}") ?? Variable("AWS_ENDPOINT_URL");

    private static string Variable(string name) =>
        Environment.GetEnvironmentVariable(name) ?? throw new UsageException($"{name} is not set.");
}
