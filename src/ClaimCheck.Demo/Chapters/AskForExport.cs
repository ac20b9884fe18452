using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using ClaimCheck.Contracts;

namespace ClaimCheck.Demo.Chapters;

internal static class AskForExport
{
    public static Step Step { get; } = new(
        "Request an export",
        "POST /v1/exports answers at once: the work continues without the caller.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var request = new ExportRequest { Dataset = "orders", MaxFileBytes = 8 * 1024 * 1024 };
        var watch = Stopwatch.StartNew();
        using var answer = await tour.Wire.PostAsJsonAsync(
            new Uri(tour.Client.BaseAddress, "v1/exports"), request, ClaimCheckJson.Options, cancellationToken);
        var took = watch.Elapsed;
        if (answer.StatusCode != HttpStatusCode.Accepted)
            throw new DemoException($"POST /v1/exports answered {(int)answer.StatusCode}, not 202.");
        if (answer.Headers.Location is not { } location)
            throw new DemoException("The 202 has no Location.");
        var export = tour.Keep(
            await answer.Content.ReadFromJsonAsync<Export>(ClaimCheckJson.Options, cancellationToken) ?? throw new DemoException("The 202 has no export in it."));
        tour.Screen.Good($"202 Accepted after {took.TotalMilliseconds:0} ms");
        tour.Screen.Figure("Location", location.OriginalString);
        tour.Screen.Figure("batchId", export.BatchId.ToString());
    }
}
