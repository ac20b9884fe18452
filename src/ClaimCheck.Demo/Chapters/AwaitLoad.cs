using System.Diagnostics;
using ClaimCheck.Contracts;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class AwaitLoad
{
    public static Step Step { get; } = new(
        "The consumer's receipt",
        "GET /v1/batches/{batchId}/receipts: the producer sees who has applied what.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        Receipt? receipt = null;
        while (receipt?.State is not { } state || !ReceiptState.IsEnd(state))
        {
            if (watch.Elapsed > TimeSpan.FromMinutes(1))
                throw new DemoException($"The receipt is {receipt?.State ?? "not there"} after a minute.");
            await Task.Delay(100, cancellationToken);
            receipt = (await tour.Client.GetReceiptsAsync(tour.Export.BatchId, cancellationToken: cancellationToken)).Items.FirstOrDefault(each => each.Consumer == "billing");
        }
        tour.Screen.Figure(receipt.Consumer, $"{receipt.State}: {receipt.Succeeded:N0} succeeded, {receipt.Transient} transient, {receipt.Terminal} terminal");
        var (count, sum) = await tour.Known<ConsumerTable>().SumAsync(cancellationToken);
        await ReadRecords.CompareAsync(tour, count, sum, cancellationToken);
    }
}
