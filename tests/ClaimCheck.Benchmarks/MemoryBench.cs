using ClaimCheck.Benchmarks.Reports;


namespace ClaimCheck.Benchmarks;

/// <summary>The service's peak memory over one export (VmHWM), by the number of rows.</summary>
internal static class MemoryBench
{
    public const long Most = 10_000_000;
    private const long Least = 1_000_000;
    private const long Growth = 25_000_000;

    public static async Task<IReadOnlyList<Figure>> RunAsync(ExportLab lab, long orders)
    {
        var small = await PeakAsync(lab, Least);
        var middle = await PeakAsync(lab, orders);
        var large = await PeakAsync(lab, Most);
        return
        [
            new($"peak memory, {orders:N0} orders, CSV gzip", Megabytes(middle), "", "", $"at most {Megabytes(Report.MostBytes)}",
                middle <= Report.MostBytes),
            new(
                $"peak memory, {Most:N0} orders; {Least:N0}",
                Megabytes(large),
                Megabytes(small),
                Megabytes(large - small),
                "at most 25 MB more",
                large - small <= Growth),
        ];
    }

    private static async Task<long> PeakAsync(ExportLab lab, long orders)
    {
        await using var service = await lab.StartServiceAsync();
        var (run, batch) = await ExportLab.TakeAsync(service, orders, "csv", "gzip");
        await batch.DisposeAsync();
        return run.PeakBytes;
    }

    private static string Megabytes(long bytes) => $"{bytes / 1_000_000.0:0} MB";
}
