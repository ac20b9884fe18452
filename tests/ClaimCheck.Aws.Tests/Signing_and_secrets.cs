using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using ClaimCheck.Aws.SimpleNotificationService;
using ClaimCheck.Testing;

namespace ClaimCheck.Aws.Tests;

public sealed partial class Signing_and_secrets
{
    private const string Topic = "arn:aws:sns:eu-central-1:123456789012:events";
    private const string Queue = "https://sqs.eu-central-1.amazonaws.com/123456789012/billing";
    private const string Secret = "https://bucket.s3.example/manifest.json?X-Amz-Signature=0123456789abcdef";
    private static readonly OutgoingMessage Message =
        new(Secret) { Attributes = new Dictionary<string, string> { ["type"] = "BulkReady" } };

    [Fact]
    public async Task Calls_are_signed_for_the_service_and_the_region()
    {
        await using var server = await ScriptedEndpoint.StartAsync(Answers.Xml(Answers.Published), Answers.Json("{}"));
        using var sns = server.Sns();
        using var sqs = server.Sqs();

        await sns.PublishAsync(Topic, Message);
        await sqs.ReceiveAsync(Queue);

        foreach (var (request, service) in server.Requests.Zip(["sns", "sqs"]))
        {
            var match = SigV4().Match(request.Headers["Authorization"]);
            Assert.True(match.Success, request.Headers["Authorization"]);
            Assert.Equal(
                ("AKIDTEST", "eu-central-1", service),
                (match.Groups["key"].Value, match.Groups["region"].Value, match.Groups["service"].Value));
            Assert.Superset(
                new HashSet<string> { "host", "x-amz-date", "x-amz-security-token" },
                match.Groups["headers"].Value.Split(';').ToHashSet());
            Assert.Equal("the-session-token", request.Headers["X-Amz-Security-Token"]);
            Assert.Equal(request.Headers["X-Amz-Date"][..8], match.Groups["date"].Value);
        }
        Assert.Equal("AmazonSQS.ReceiveMessage", server.Requests[1].Headers["X-Amz-Target"]);
        Assert.Equal("application/x-amz-json-1.0", server.Requests[1].Headers["Content-Type"]);
        Assert.StartsWith("Action=Publish&Version=2010-03-31&", server.Requests[0].Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("RequestTimeTooSkewed")]
    [InlineData("SignatureDoesNotMatch")]
    [InlineData("InvalidSignatureException")]
    public async Task A_clock_that_is_wrong_is_corrected_by_the_servers(string code)
    {
        var ahead = TimeSpan.FromHours(3);
        await using var server = await ScriptedEndpoint.StartAsync(
            Answers.Skewed(Answers.SnsError(403, code), ahead), Answers.Skewed(Answers.Xml(Answers.Published), ahead));
        using var sns = server.Sns();

        await sns.PublishAsync(Topic, Message);

        var signedAt = server.Requests
            .Select(request => DateTime.ParseExact(
                request.Headers["X-Amz-Date"], "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(2, signedAt.Count);
        Assert.InRange(signedAt[1] - signedAt[0], ahead - TimeSpan.FromMinutes(1), ahead + TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_signature_that_is_wrong_with_the_clock_right_is_not_tried_again()
    {
        await using var server = await ScriptedEndpoint.StartAsync(
            Answers.Skewed(Answers.SqsError(403, "SignatureDoesNotMatch"), TimeSpan.Zero));
        using var sqs = server.Sqs();

        var failure = await Assert.ThrowsAsync<AwsMessagingException>(() => sqs.ReceiveAsync(Queue));

        Assert.Equal(
            (AwsFailure.CredentialsRejected, false, HttpStatusCode.Forbidden),
            (failure.Kind, failure.IsTransient, failure.StatusCode));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task No_failure_says_what_a_message_a_handle_or_a_credential_holds()
    {
        var quoting = $"You said {Secret} and handle-1 and the-session-token and the-secret-key";
        await using var server = await ScriptedEndpoint.StartAsync(
            Answers.SqsError(400, "InvalidMessageContents", quoting),
            Answers.SqsError(403, "SignatureDoesNotMatch", "the canonical string was the-session-token"),
            Answers.Json($$"""{"Messages":[{"MessageId":"m-1","ReceiptHandle":"handle-1","Body":"{{Secret}}" """),
            Answers.Xml("<PublishResponse><PublishResult>" + Secret.Replace("&", "&amp;", StringComparison.Ordinal)),
            Answers.SnsError(400, "InvalidParameter", quoting),
            Answers.SqsError(400, "InvalidAddress", $"The address {Secret} is not valid"));
        using var sqs = server.Sqs(maxAttempts: 1);
        using var sns = server.Sns(maxAttempts: 1);

        List<AwsMessagingException> failures =
        [
            await Assert.ThrowsAsync<AwsMessagingException>(() => sqs.SendAsync(Queue, Message)),
            await Assert.ThrowsAsync<AwsMessagingException>(() => sqs.GetQueueUrlAsync("billing")),
            await Assert.ThrowsAsync<AwsMessagingException>(() => sqs.ReceiveAsync(Queue)),
            await Assert.ThrowsAsync<AwsMessagingException>(() => sns.PublishAsync(Topic, Message)),
            await Assert.ThrowsAsync<AwsMessagingException>(() => sns.PublishAsync(Topic, Message)),
            await Assert.ThrowsAsync<AwsMessagingException>(() => sqs.GetQueueUrlAsync("billing")),
        ];

        foreach (var text in failures.Select(failure => failure.ToString()))
        {
            foreach (var secret
                in new[] { "X-Amz-Signature", "0123456789abcdef", "handle-1", "the-session-token", "the-secret-key" })
                Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }
        Assert.Contains("The address [address] is not valid", failures[^1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_text_form_says_what_a_message_holds()
    {
        var received = new Amazon.SQS.Model.Message { MessageId = "m-1", ReceiptHandle = "handle-1", Body = Secret };

        var texts = string.Join(
            " ", received, DeliveredMessage.Open(received), new PublishRequest { TopicArn = Topic, Message = Secret },
            new PublishBatchRequestEntry { Id = "1", Message = Secret });

        Assert.DoesNotContain("example", texts, StringComparison.Ordinal);
        Assert.DoesNotContain("handle-1", texts, StringComparison.Ordinal);
    }

    [GeneratedRegex(
        "^AWS4-HMAC-SHA256 Credential=(?<key>[^/]+)/(?<date>[0-9]{8})/(?<region>[^/]+)/(?<service>[^/]+)/aws4_request, "
        + "SignedHeaders=(?<headers>[a-z0-9;-]+), Signature=[0-9a-f]{64}$",
        RegexOptions.CultureInvariant,
        1000)]
    private static partial Regex SigV4();
}
