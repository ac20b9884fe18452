using System.Diagnostics;

namespace ClaimCheck.Demo.Chapters;

internal static class RevokeBatch
{
    private const int ProbesShown = 3;

    public static Step Step { get; } = new(
        "Revoke the data",
        "DELETE /v1/batches/{batchId}: no link is minted from now on, the files are deleted, and the report proves it\n"
        + "by requesting each object through a link before and after.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var revocation = await tour.Client.RevokeAsync(tour.Export.BatchId, "The demo revokes it", cancellationToken);
        while (!revocation.IsVerified)
        {
            if (watch.Elapsed > TimeSpan.FromMinutes(1))
                throw new DemoException($"The deletion is not verified after a minute: {revocation.Report.Pending}");
            await Task.Delay(200, cancellationToken);
            revocation = await tour.Client.RevokeAsync(tour.Export.BatchId, null, cancellationToken);
        }
        var report = revocation.Report;
        tour.Screen.Figure("state", report.State);
        tour.Screen.Figure("objects", $"{report.Objects.Deleted} deleted, {report.Objects.Remaining} remaining");
        foreach (var probe in report.Probes.Take(ProbesShown))
            tour.Screen.Figure(probe.Object, $"{probe.Before?.ToString() ?? "not asked"} before, {probe.After?.ToString() ?? "not asked"} after");
        if (report.Probes.Count > ProbesShown)
            tour.Screen.Line($"… and {report.Probes.Count - ProbesShown} more");
        if (report.Objects.Remaining != 0 || report.Probes.Any(probe => probe.After is not (403 or 404)))
            throw new DemoException("The report says verified, but something can still be read.");
        tour.Screen.Good($"verified at {report.VerifiedAt:HH:mm:ss} UTC, {watch.Elapsed.TotalMilliseconds:0} ms after the request");
    }
}
