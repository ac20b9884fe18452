namespace ClaimCheck.Demo.Chapters;

internal static class AskTheAdapter
{
    public static Step Step { get; } = new(
        "The consumer system requests an export",
        "POST /exports at the adapter, with criteria: only paid orders. The answer is 202 at once.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var export = tour.Keep(await tour.Adapter.AskAsync(tour.Wire, new { criteria = new { status = "paid" } }, cancellationToken));
        tour.Screen.Good("202 Accepted");
        tour.Screen.Figure("id", export.Id);
    }
}
