using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using ClaimCheck.Contracts;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class PostLargeJob
{
    public const int Items = 50_000;
    public const string Status = "archived";

    public static Step Step { get; } = new(
        $"Request {Items:N0} updates",
        "The same call with a body of NDJSON, of any size: it is staged, and the job refers to it. Some items are invalid:\n"
        + "orders that do not exist, and malformed ids.",
        RunAsync);

    /// <summary>Whether the item at this index can't be applied.</summary>
    public static bool IsBad(int index) => index % 10_000 is 17 or 18;

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var body = new StringBuilder();
        for (var i = 0; i < Items; i++)
        {
            var id = (i % 10_000) switch
            {
                17 => $"{i + 1_000_000_000}",
                18 => "\"no number\"",
                _ => $"{i + 1}",
            };
            body.Append($$"""{"id":{{id}},"status":"{{Status}}"}""").Append('\n');
        }
        using var content = new StringContent(body.ToString(), new MediaTypeHeaderValue("application/x-ndjson"));
        tour.Screen.Figure("body", DemoScreen.Size(body.Length));
        var watch = Stopwatch.StartNew();
        using var answer = await tour.Wire.PostAsync(
            new Uri(tour.Client.BaseAddress, $"v1/bulk-jobs?operation={PostSmallJob.Operation}"), content, cancellationToken);
        var location = PostSmallJob.Accepted(tour, answer);
        await tour.Screen.ProgressAsync("applying", async report =>
            tour.Keep(await PostSmallJob.FollowAsync(
                tour, location, job => report(job.Progress.Ratio ?? 0, $"{job.Progress.Processed:N0} items"), cancellationToken)));
        var ended = tour.Known<BulkJob>();
        tour.Screen.Good($"completed after {watch.Elapsed.TotalSeconds:0.0} s: {ended.Succeeded:N0} succeeded, {ended.Failed} failed");
    }
}
