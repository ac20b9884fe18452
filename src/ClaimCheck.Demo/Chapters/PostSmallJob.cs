using System.Net;
using System.Net.Http.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class PostSmallJob
{
    /// <summary>The operation that is shipped with the sample.</summary>
    public const string Operation = "update_orders_status";

    private const string Body = """
        { "operation": "update_orders_status",
          "items": [ { "id": 1, "status": "shipped" }, { "id": 2, "status": "cancelled" } ] }
        """;

    public static Step Step { get; } = new(
        "Request two updates",
        "POST /v1/bulk-jobs with the items inline. The operator defines the operation: a statement with parameters, never the caller's SQL.",
        RunAsync);

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
    public static async Task<BulkJob> FollowAsync(Tour tour, Uri location, Action<BulkJob> looked, CancellationToken cancellationToken)
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

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        tour.Screen.Text(Body);
        using var content = new StringContent(Body, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        using var answer = await tour.Wire.PostAsync(new Uri(tour.Client.BaseAddress, "v1/bulk-jobs"), content, cancellationToken);
        var job = await FollowAsync(tour, Accepted(tour, answer), _ => { }, cancellationToken);
        tour.Screen.Text(ShownLinks.Of(job));
        if ((job.Succeeded, job.Failed) != (2, 0))
            throw new DemoException($"{job.Succeeded} items succeeded, not 2.");
        tour.Screen.Good("both are applied");
    }
}
