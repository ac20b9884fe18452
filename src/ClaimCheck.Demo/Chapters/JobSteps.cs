using System.Net.Http.Headers;
using System.Text;

namespace ClaimCheck.Demo.Chapters;

/// <summary>Bulk updates as jobs.</summary>
internal static class JobSteps
{
    /// <summary>The operation that is shipped with the sample.</summary>
    public const string Operation = "update_orders_status";

    private const string SmallJobBody = """
        { "operation": "update_orders_status",
          "items": [ { "id": 1, "status": "shipped" }, { "id": 2, "status": "cancelled" } ] }
        """;

    public static Step PostSmallJob { get; } = new(
        "Request two updates",
        "POST /v1/bulk-jobs with the items inline. The operator defines the operation: a statement with parameters, "
        + "never the caller's SQL.",
        PostSmallJobAsync);

    /// <summary>Shows the answer to a request for a job.</summary>
    /// <returns>The job's address.</returns>
    public static Uri Accepted(Tour tour, HttpResponseMessage answer)
    {
        if (answer.StatusCode != HttpStatusCode.Accepted || answer.Headers.Location is not { } location)
            throw new DemoException($"POST /v1/bulk-jobs answered {(int)answer.StatusCode}, not 202 with a Location.");
        tour.Screen.Good("202 Accepted");
        tour.Screen.Figure("Location", location.OriginalString);
        return new Uri(tour.Client.BaseAddress, location);
    }

    /// <summary>Polls a job until it has ended.</summary>
    public static async Task<BulkJob> FollowAsync(
        Tour tour, Uri location, Action<BulkJob> looked, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        while (true)
        {
            var job = (await tour.Wire.GetFromJsonAsync<BulkJob>(location, ClaimCheckJson.Options, deadline.Token))!;
            looked(job);
            if (job.Status == BulkJobStatus.Completed)
                return job;
            if (BulkJobStatus.IsEnd(job.Status))
                throw new DemoException($"The job is {job.Status}: {job.Failure?.Code}.");
            await Task.Delay(100, deadline.Token);
        }
    }

    private static async Task PostSmallJobAsync(Tour tour, CancellationToken cancellationToken)
    {
        tour.Screen.Text(SmallJobBody);
        using var content = new StringContent(SmallJobBody, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        using var answer = await tour.Wire.PostAsync(
            new Uri(tour.Client.BaseAddress, "v1/bulk-jobs"), content, cancellationToken);
        var job = await FollowAsync(tour, Accepted(tour, answer), _ => { }, cancellationToken);
        tour.Screen.Text(ShownLinks.Of(job));
        if ((job.Succeeded, job.Failed) != (2, 0))
            throw new DemoException($"{job.Succeeded} items succeeded, not 2.");
        tour.Screen.Good("both are applied");
    }

    public const int Items = 50_000;
    public const string ArchivedStatus = "archived";

    public static Step PostLargeJob { get; } = new(
        $"Request {Items:N0} updates",
        "The same call with a body of NDJSON, of any size: it is staged, and the job refers to it. Some items are invalid:\n"
        + "orders that do not exist, and malformed ids.",
        PostLargeJobAsync);

    /// <summary>Whether the item at this index can't be applied.</summary>
    public static bool IsBad(int index) => index % 10_000 is 17 or 18;

    private static async Task PostLargeJobAsync(Tour tour, CancellationToken cancellationToken)
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
            body.Append($$"""{"id":{{id}},"status":"{{ArchivedStatus}}"}""").Append('\n');
        }
        using var content = new StringContent(body.ToString(), new MediaTypeHeaderValue("application/x-ndjson"));
        tour.Screen.Figure("body", DemoScreen.Size(body.Length));
        var watch = Stopwatch.StartNew();
        using var answer = await tour.Wire.PostAsync(
            new Uri(tour.Client.BaseAddress, $"v1/bulk-jobs?operation={Operation}"), content, cancellationToken);
        var location = Accepted(tour, answer);
        await tour.Screen.ProgressAsync("applying", async report =>
            tour.Keep(await FollowAsync(
                tour, location, job => report(job.Progress.Ratio ?? 0, $"{job.Progress.Processed:N0} items"),
                cancellationToken)));
        var ended = tour.Known<BulkJob>();
        tour.Screen.Good(
            $"completed after {watch.Elapsed.TotalSeconds:0.0} s: {ended.Succeeded:N0} succeeded, {ended.Failed} failed");
    }

    public static Step ShowJobOutcomes { get; } = new(
        "The outcome of each item",
        "resultUrl is a link to one line per item; GET …/failures pages through those that failed. One invalid item "
        + "never fails its neighbours.",
        ShowJobOutcomesAsync);

    private static async Task ShowJobOutcomesAsync(Tour tour, CancellationToken cancellationToken)
    {
        var job = tour.Known<BulkJob>();
        var link = job.ResultUrl ?? throw new DemoException("The job has no resultUrl.");
        tour.Screen.Figure("resultUrl", ShownLinks.Of(link));
        var (lines, failed) = (0, 0);
        using (var reader = new StreamReader(await tour.Wire.GetStreamAsync(link.Reveal(), cancellationToken)))
        {
            for (; await reader.ReadLineAsync(cancellationToken) is { Length: > 0 } line; lines++)
            {
                var outcome = JsonSerializer.Deserialize<BulkItemOutcome>(line, ClaimCheckJson.Options)!;
                if (outcome.Index != lines || outcome.Status == "failed" != IsBad(lines))
                    throw new DemoException($"Item {lines} is {outcome.Status}.");
                failed += outcome.Status == "failed" ? 1 : 0;
            }
        }
        tour.Screen.Good($"{lines:N0} outcomes are read; only the {failed} invalid items failed");

        var failures = (await tour.Wire.GetFromJsonAsync<Page<BulkItemOutcome>>(
            new Uri($"{job.Links.Failures}?limit=4"), ClaimCheckJson.Options, cancellationToken))!;
        foreach (var failure in failures.Items)
            tour.Screen.Line($"item {failure.Index}: {failure.Class}, {failure.Code}");

        var archived = await Order.CountAsync(tour.Service, ArchivedStatus, cancellationToken);
        if (lines != Items || archived != job.Succeeded || failed != job.Failed)
            throw new DemoException(
                $"{archived:N0} orders are {ArchivedStatus} in the database, but the job reports {job.Succeeded:N0}.");
        tour.Screen.Good($"in the database {archived:N0} orders are '{ArchivedStatus}'");
    }
}
