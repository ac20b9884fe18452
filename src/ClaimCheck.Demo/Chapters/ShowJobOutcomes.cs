using System.Net.Http.Json;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class ShowJobOutcomes
{
    public static Step Step { get; } = new(
        "The outcome of each item",
        "resultUrl is a link to one line per item; GET …/failures pages through those that failed. One invalid item never fails its neighbours.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
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
                if (outcome.Index != lines || outcome.Status == "failed" != PostLargeJob.IsBad(lines))
                    throw new DemoException($"Item {lines} is {outcome.Status}.");
                failed += outcome.Status == "failed" ? 1 : 0;
            }
        }
        tour.Screen.Good($"{lines:N0} outcomes are read; only the {failed} invalid items failed");

        var failures = (await tour.Wire.GetFromJsonAsync<Page<BulkItemOutcome>>(new Uri($"{job.Links.Failures}?limit=4"), ClaimCheckJson.Options, cancellationToken))!;
        foreach (var failure in failures.Items)
            tour.Screen.Line($"item {failure.Index}: {failure.Class}, {failure.Code}");

        var archived = await Order.CountAsync(tour.Service, PostLargeJob.Status, cancellationToken);
        if (lines != PostLargeJob.Items || archived != job.Succeeded || failed != job.Failed)
            throw new DemoException($"{archived:N0} orders are {PostLargeJob.Status} in the database, but the job reports {job.Succeeded:N0}.");
        tour.Screen.Good($"in the database {archived:N0} orders are '{PostLargeJob.Status}'");
    }
}
