using Amazon.SQS.Model;
using System.Runtime.Versioning;
using System.Text.Json;
using Amazon.S3.Util;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Compose;

/// <summary>What LocalStack runs at its start makes what it says, on real servers.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class The_init_script
{
    private static string Script => Path.Combine(S3Endpoint.RepositoryRoot(), "localstack-init", "10-claimcheck.sh");

    [Fact]
    public async Task Makes_everything_with_the_calls_of_this_repository()
    {
        using var aws = AwsCommand.OfThisRepository();
        await MakesEverythingAsync(aws);
    }

    [Fact]
    public async Task Makes_everything_with_the_command_line_of_this_machine_where_it_is_new_enough()
    {
        using var aws = await AwsCommand.OfThisMachineAsync() ?? AwsCommand.OfThisRepository();
        await MakesEverythingAsync(aws);
    }

    [Fact]
    public async Task Names_the_region_of_a_new_bucket_outside_us_east_1()
    {
        var file = Path.GetTempFileName();
        using var aws = AwsCommand.ThatOnlyRecords(file);
        foreach (var region in new[] { "eu-central-1", "us-east-1" })
        {
            var (exitCode, _, _) = await S3Endpoint.RunAsync(
                "bash", [Script], ("PATH", aws.SearchPath), ("AWS_REGION", region), ("CLAIMCHECK_BUCKET", "b"));
            Assert.NotEqual(0, exitCode);
        }

        Assert.Equal(
            [
                "s3api head-bucket --bucket b",
                "s3api create-bucket --bucket b --create-bucket-configuration LocationConstraint=eu-central-1",
                "s3api head-bucket --bucket b",
                "s3api create-bucket --bucket b",
            ],
            await File.ReadAllLinesAsync(file));
        File.Delete(file);
    }

    [Fact]
    public void Can_be_executed_since_LocalStack_does_just_that() =>
        Assert.True(File.GetUnixFileMode(Script).HasFlag(UnixFileMode.OtherExecute));

    [Theory]
    [InlineData("s3api list-buckets")]
    [InlineData("sns create-topic")]
    [InlineData("sns create-topic --name a --tags b")]
    [InlineData("sqs create-queue --queue-name a --output table")]
    public async Task Is_told_by_the_calls_of_this_repository_what_they_do_not_know(string call)
    {
        using var aws = AwsCommand.OfThisRepository();

        var (exitCode, _, errors) = await S3Endpoint.RunAsync("bash", ["-c", $"aws {call}"], ("PATH", aws.SearchPath));

        Assert.Equal(252, exitCode);
        Assert.StartsWith("aws: [ERROR]", errors, StringComparison.Ordinal);
    }

    private static async Task MakesEverythingAsync(AwsCommand aws)
    {
        var (s3, queues) = (await S3Endpoint.GetAsync(), await QueueEndpoint.GetAsync());
        var name = $"init-{Guid.NewGuid():N}";

        var first = await RunAsync(aws, s3, queues, name, receives: 5);
        var again = await RunAsync(aws, s3, queues, name, receives: 5);
        var changed = await RunAsync(aws, s3, queues, name, receives: 7);

        Assert.Equal([first, first], [again, changed]);
        var made = first.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '))
            .ToDictionary(pair => pair[0], pair => pair[1]);
        Assert.True(await AmazonS3Util.DoesS3BucketExistV2Async(s3.Client, made["bucket"]));
        Assert.Single((await queues.Sns.ListSubscriptionsByTopicAsync(made["topic"], null)).Subscriptions);

        var attributes = await queues.Sqs.AttributesAsync(made["queue"]);
        using var redrive = JsonDocument.Parse(attributes["RedrivePolicy"]);
        var deadLetters = await queues.Sqs.AttributesAsync((await queues.Sqs.GetQueueUrlAsync($"{name}-dead")).QueueUrl);
        Assert.Equal(deadLetters["QueueArn"], redrive.RootElement.GetProperty("deadLetterTargetArn").GetString());
        Assert.Equal("7", redrive.RootElement.GetProperty("maxReceiveCount").ToString());
        Assert.Equal(("604800", "1209600"), (attributes["MessageRetentionPeriod"], deadLetters["MessageRetentionPeriod"]));
        using var policy = JsonDocument.Parse(attributes["Policy"]);
        var statement = policy.RootElement.GetProperty("Statement")[0];
        Assert.Equal(attributes["QueueArn"], statement.GetProperty("Resource").GetString());
        Assert.Equal(
            made["topic"], statement.GetProperty("Condition").GetProperty("ArnEquals").GetProperty("aws:SourceArn").GetString());

        // What is for another goes first: were it let through, it would be there with the others.
        foreach (var consumer in new[] { "shipping", "*", "billing" })
            await queues.Sns.PublishAsync(made["topic"], new OutgoingMessage($"for {consumer}")
            {
                Attributes = new Dictionary<string, string> { ["consumer"] = consumer },
            });
        var arrived = new List<Message>();
        await Eventually.TrueAsync(async () =>
        {
            arrived.AddRange(await queues.Sqs.ReceiveAsync(made["queue"], wait: TimeSpan.FromSeconds(1)));
            return arrived.Count >= 2;
        });
        arrived.AddRange(await queues.Sqs.ReceiveAsync(made["queue"], wait: TimeSpan.FromSeconds(1)));
        Assert.Equal(["for *", "for billing"], arrived.Select(message => message.Body).Order(StringComparer.Ordinal));
        Assert.All(arrived, message => Assert.Contains("consumer", message.Texts().Keys));
    }

    private static async Task<string> RunAsync(AwsCommand aws, S3Endpoint s3, QueueEndpoint queues, string name, int receives)
    {
        var environment = new Dictionary<string, string>(queues.Environment);
        foreach (var (key, value) in s3.Environment)
            environment[key] = value;
        var (exitCode, output, errors) = await S3Endpoint.RunAsync("bash", [Script],
        [
            .. environment.Select(variable => (variable.Key, variable.Value)),
            ("PATH", aws.SearchPath), ("CLAIMCHECK_BUCKET", name), ("CLAIMCHECK_TOPIC", name), ("CLAIMCHECK_QUEUE", name),
            ("CLAIMCHECK_CONSUMER", "billing"), ("CLAIMCHECK_MAX_RECEIVES", $"{receives}"),
        ]);
        Assert.True(exitCode == 0, $"The script ended with {exitCode}: {errors}");
        return output;
    }
}
