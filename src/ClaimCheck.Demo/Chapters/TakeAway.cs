using System.Diagnostics;

namespace ClaimCheck.Demo.Chapters;

/// <summary>The producer, or the consumer system, ends the batch, and the adapter removes what it pushed.</summary>
internal static class TakeAway
{
    public static Step AtTheSource { get; } = new(
        "The producer revokes the data",
        "The adapter notices it, and removes what it pushed: _REVOKED stays, with the reason.",
        async (tour, cancellationToken) =>
        {
            await tour.Client.RevokeAsync(tour.AdapterExport.BatchId!.Value, "The demo revokes it", cancellationToken);
            await GoneAsync(tour, "revoked", cancellationToken);
        });

    public static Step AtTheSourceWithNotice { get; } = new(
        "The producer revokes the data",
        "The adapter receives BulkRevoked, removes what it pushed, and notifies the consumer system.",
        async (tour, cancellationToken) =>
        {
            await tour.Client.RevokeAsync(tour.AdapterExport.BatchId!.Value, "The demo revokes it", cancellationToken);
            var notice = await tour.ConsumerSystem.NextAsync(cancellationToken);
            if ((string?)notice["type"] != "export.revoked")
                throw new DemoException($"The notice is {notice["type"]}, not export.revoked.");
            tour.Screen.Figure("the notice", $"{notice["type"]}: {notice["data"]!["reason"]}");
            await GoneAsync(tour, "revoked", cancellationToken);
        });

    public static Step ByTheConsumerSystem { get; } = new(
        "The consumer system has finished",
        "DELETE /exports/{id} at the adapter: it removes the files, and revokes the batch at the service.",
        async (tour, cancellationToken) =>
        {
            using var answer = await tour.Wire.DeleteAsync(new Uri(tour.Adapter.Address, $"exports/{tour.AdapterExport.Id}?reason=done"), cancellationToken);
            tour.Screen.Figure("DELETE", $"{(int)answer.StatusCode}");
            if (!answer.IsSuccessStatusCode)
                throw new DemoException($"DELETE answered {(int)answer.StatusCode}.");
            await GoneAsync(tour, null, cancellationToken);
        });

    private static async Task GoneAsync(Tour tour, string? state, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(tour.Adapter.Place, tour.AdapterExport.Folder!);
        if (state is not null)
            await tour.Adapter.UntilAsync(tour.Wire, tour.AdapterExport.Id, "revoked", _ => { }, cancellationToken);
        var watch = Stopwatch.StartNew();
        while (new DirectoryInfo(folder).GetFiles().Any(file => file.Name.StartsWith("part-", StringComparison.Ordinal)))
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(30))
                throw new DemoException("The files are still there after 30 seconds.");
            await Task.Delay(100, cancellationToken);
        }
        var rest = new DirectoryInfo(folder).GetFiles().Select(file => file.Name).Where(name => name[0] != '.');
        tour.Screen.Good($"what is left: {string.Join(", ", rest.Order(StringComparer.Ordinal))}");
    }
}
