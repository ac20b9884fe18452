using Amazon.Runtime.Endpoints;
using ClaimCheck.Aws.SimpleNotificationService;
using ClaimCheck.Testing;

namespace ClaimCheck.Aws.Tests;

[Collection(nameof(TheProcess))]
public sealed class Settings
{
    private const string Topic = "arn:aws:sns:eu-central-1:123456789012:events";
    private const string Queue = "https://sqs.eu-central-1.amazonaws.com/123456789012/billing";

    [Fact]
    public async Task Endpoints_region_and_credentials_come_from_the_environment()
    {
        await using var topics = await ScriptedEndpoint.StartAsync(Answers.Xml(Answers.Published));
        await using var everything = await ScriptedEndpoint.StartAsync(Answers.Json("{}"));
        using var environment = new Variables(
            ("AWS_ENDPOINT_URL_SNS", topics.Url.ToString()), ("AWS_ENDPOINT_URL_SQS", null),
            ("AWS_ENDPOINT_URL", everything.Url.ToString()),
            ("AWS_REGION", "ap-southeast-2"), ("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT"), ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", null));
        using var sns = new AmazonSimpleNotificationServiceClient();
        using var sqs = Sqs.Connect();

        await sns.PublishAsync(Topic, new OutgoingMessage("hello"));
        await sqs.ReceiveAsync(Queue);

        Assert.Contains(
            "Credential=AKIDENVIRONMENT/", Assert.Single(topics.Requests).Headers["Authorization"], StringComparison.Ordinal);
        Assert.Contains(
            "/ap-southeast-2/sqs/", Assert.Single(everything.Requests).Headers["Authorization"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_option_wins_over_the_environment()
    {
        await using var chosen = await ScriptedEndpoint.StartAsync(Answers.Json("{}"));
        await using var configured = await ScriptedEndpoint.StartAsync(Answers.Json("{}"));
        using var environment = new Variables(
            ("AWS_ENDPOINT_URL_SQS", configured.Url.ToString()), ("AWS_REGION", "ap-southeast-2"));
        using var sqs = chosen.Sqs();

        await sqs.ReceiveAsync(Queue);

        Assert.Contains(
            "Credential=AKIDTEST/", Assert.Single(chosen.Requests).Headers["Authorization"], StringComparison.Ordinal);
        Assert.Contains("/eu-central-1/sqs/", chosen.Requests[0].Headers["Authorization"], StringComparison.Ordinal);
        Assert.Empty(configured.Requests);
    }

    [Theory]
    [InlineData("us-gov-west-1", "https://sns.us-gov-west-1.amazonaws.com")]
    [InlineData("cn-north-1", "https://sns.cn-north-1.amazonaws.com.cn")]
    public void Without_an_endpoint_it_is_AWS_s_own_in_the_region(string region, string url)
    {
        using var environment = new Variables(
            ("AWS_ENDPOINT_URL_SNS", null), ("AWS_ENDPOINT_URL_SQS", null), ("AWS_ENDPOINT_URL", null));
        var config = new WireConfig("", new AwsMessagingOptions { Region = region });

        Assert.Equal(url, config.DetermineServiceOperationEndpoint(new ServiceOperationEndpointParameters(null!)).URL);
    }

    [Fact]
    public async Task Without_credentials_a_call_says_so()
    {
        await using var server = await ScriptedEndpoint.StartAsync(Answers.Json("{}"));
        using var environment = new Variables(
            ("AWS_ACCESS_KEY_ID", null), ("AWS_SECRET_ACCESS_KEY", null), ("AWS_SESSION_TOKEN", null), ("AWS_PROFILE", null),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", null), ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", null),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", null),
            ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
            ("AWS_CONFIG_FILE", "/nonexistent"));
        using var sqs = Sqs.Connect(new AwsMessagingOptions { ServiceUrl = server.Url, Credentials = null });

        var failure = await Assert.ThrowsAsync<AwsMessagingException>(() => sqs.ReceiveAsync(Queue));

        Assert.Equal((AwsFailure.CredentialsRejected, "NoCredentials"), (failure.Kind, failure.Code));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public void Options_out_of_range_say_value_rule_and_consequence()
    {
        Assert.Contains(
            "Timeout is 00:00:00", OptionFailure(new AwsMessagingOptions { Timeout = TimeSpan.Zero }), StringComparison.Ordinal);
        Assert.Contains("MaxAttempts is 0", OptionFailure(new AwsMessagingOptions { MaxAttempts = 0 }), StringComparison.Ordinal);
        Assert.Contains("ServiceUrl", OptionFailure(new AwsMessagingOptions { ServiceUrl = new Uri("ftp://example") }),
            StringComparison.Ordinal);
        Assert.Contains("'no region'", OptionFailure(new AwsMessagingOptions { Region = "no region" }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        """{"Type":"Notification","MessageId":"m","TopicArn":"t","Message":"inner","MessageAttributes":{"type":{"Type":"String","Value":"BulkReady"},"b":{"Type":"Binary","Value":"AA=="}}}""",
        "inner",
        "BulkReady")]
    [InlineData("""{"Type":"Notification","TopicArn":"t","Message":"inner"}""", "inner", null)]
    [InlineData("""{"Type":"Notification","Message":5,"TopicArn":"t"}""", null, "raw")]
    [InlineData("""{"Type":"Notification","TopicArn":"t","Message":"cut""", null, "raw")]
    [InlineData("\"Notification\"", null, "raw")]
    [InlineData("""{"Type":"Notification","TopicArn":"t","Message":"\ud800"}""", null, "raw")]
    [InlineData("""["Notification"]""", null, "raw")]
    [InlineData("""{"specversion":"1.0","type":"claimcheck.bulk.ready.v1"}""", null, "raw")]
    public void An_envelope_is_told_from_what_was_published_raw(string body, string? inner, string? type)
    {
        var delivered = DeliveredMessage.Open(body, new Dictionary<string, string> { ["type"] = "raw" });

        Assert.Equal((inner ?? body, inner is not null, type), (delivered.Body, delivered.WasEnveloped, delivered.Type));
    }

    private static string OptionFailure(AwsMessagingOptions options) =>
        Assert.Throws<ArgumentException>(() => new AmazonSimpleNotificationServiceClient(options)).Message;

    /// <summary>Environment variables for the time of a test; this project runs one test at a time.</summary>
    private sealed class Variables : IDisposable
    {
        private readonly List<(string Name, string? Value)> before = [];

        public Variables(params (string Name, string? Value)[] values)
        {
            foreach (var (name, value) in values)
            {
                before.Add((name, Environment.GetEnvironmentVariable(name)));
                Environment.SetEnvironmentVariable(name, value);
            }
        }

        public void Dispose()
        {
            foreach (var (name, value) in before)
                Environment.SetEnvironmentVariable(name, value);
        }
    }
}
