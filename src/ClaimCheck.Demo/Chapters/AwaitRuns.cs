using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using ClaimCheck.Contracts;

namespace ClaimCheck.Demo.Chapters;

internal static class AwaitRuns
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public static Step Step { get; } = new(
        "Two of its runs",
        "GET /v1/schedules/{name}/runs is the history: each run with its criteria as they were resolved, and its export.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        List<ScheduleRun> ready;
        do
        {
            if (watch.Elapsed > Patience)
                throw new DemoException($"The schedule has not run twice within {Patience.TotalSeconds} seconds.");
            await Task.Delay(100, cancellationToken);
            var runs = await tour.Wire.GetFromJsonAsync<Page<ScheduleRun>>(
                new Uri(tour.Client.BaseAddress, $"{PutSchedule.Path}/runs"), ClaimCheckJson.Options, cancellationToken);
            ready = [.. runs!.Items.Where(run => run.ExportState == ExportState.Ready).OrderBy(run => run.FireTime).Take(2)];
        }
        while (ready.Count < 2);
        using var gone = await tour.Wire.DeleteAsync(new Uri(tour.Client.BaseAddress, PutSchedule.Path), cancellationToken);
        if (gone.StatusCode != HttpStatusCode.NoContent)
            throw new DemoException($"DELETE /{PutSchedule.Path} answered {(int)gone.StatusCode}, not 204.");

        var records = new List<long>();
        foreach (var run in ready)
        {
            var export = await tour.Client.GetExportAsync(run.ExportId!.Value, cancellationToken: cancellationToken);
            records.Add(export.Progress.Records);
            tour.Screen.Figure($"{run.FireTime.UtcDateTime:HH:mm:ss} {run.State}", $"since {run.Criteria!.Value.GetProperty("since").GetString()}: {export.Progress.Records:N0} records");
        }
        if (records[0] == 0 || records[1] != 0)
            throw new DemoException("The second run has not continued where the first one ended.");
        tour.Screen.Good("the second run continued where the first one ended: nothing was new");
    }
}
