using System.Diagnostics;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class StartAws
{
    public static Step Step { get; } = new(
        "Start S3, SNS and SQS",
        "Test servers on this machine (or those that AWS_ENDPOINT_URL names), with a bucket for staging, a topic,\n"
        + "and a queue that is subscribed to it and has a dead letter queue.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var aws = tour.Keep(new AwsServers());
        await aws.StartAsync(cancellationToken);
        tour.Screen.Figure("S3", $"{aws.S3Url.GetLeftPart(UriPartial.Authority)}, bucket {aws.Bucket}");
        tour.Screen.Figure("SNS", $"{aws.SnsUrl.GetLeftPart(UriPartial.Authority)}, {aws.Messaging.TopicArn}");
        tour.Screen.Figure("SQS", aws.Messaging.QueueUrl);
        tour.Screen.Good($"ready after {watch.Elapsed.TotalSeconds:0.0} s");
    }
}
