using System.Diagnostics;
using ClaimCheck.Contracts;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class WatchExport
{
    public static Step Step { get; } = new(
        "Watch it work",
        "A worker reads one snapshot of the source and streams it, compressed and checksummed, into staging.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        await tour.Screen.ProgressAsync("orders", async report =>
        {
            while (!ExportState.IsSettled(tour.Export.State))
            {
                if (watch.Elapsed > TimeSpan.FromMinutes(3))
                    throw new DemoException("The export is not ready after three minutes.");
                // A short poll for the bar's sake; Prefer: wait=60 would be one request.
                await Task.Delay(150, cancellationToken);
                var progress = tour.Keep(await tour.Client.GetExportAsync(tour.Export.ExportId, null, cancellationToken)).Progress;
                var share = progress.EstimatedRecords is > 0 and var all ? Math.Min(0.99, progress.Records / (double)all) : 0;
                report(share, $"{progress.Records:N0} records, {DemoScreen.Size(progress.Bytes)}");
            }
            report(1, $"{tour.Export.Progress.Records:N0} records");
        });
        if (tour.Export.State != ExportState.Ready)
            throw new DemoException($"The export is {tour.Export.State}: {tour.Export.Failure?.Code} {tour.Export.Failure?.Detail}");
        var done = tour.Export.Progress;
        tour.Screen.Good(
            $"ready after {watch.Elapsed.TotalSeconds:0.0} s: {done.Records:N0} records in {DemoScreen.Files(done.Files)}, {DemoScreen.Size(done.Bytes)}");
    }
}
