using ClaimCheck.Benchmarks.Reports;

namespace ClaimCheck.Benchmarks;

/// <summary>The time of a row in exports of ten thousand to fifty million rows, each of a table of that size.</summary>
internal static class FlatBench
{
    public const long Most = 50_000_000;

    // The table, its index, the server's log of the changes, and the export.
    private const long BytesPerRow = 400;

    // Larger ones take minutes, and their times differ little: they have one round.
    private const long MostOfRounds = 5_000_000;
    private const long WarmUp = 10_000;
    private static readonly long[] Sizes = [10_000, 100_000, 1_000_000, 10_000_000, 50_000_000];

    /// <param name="report">What is to be filled in.</param>
    /// <param name="most">The most rows.</param>
    /// <param name="save">Is called after each size.</param>
    public static async Task<Report> RunAsync(Report report, long most, Func<Report, Task> save)
    {
        foreach (var rows in Sizes.Where(rows => rows <= most))
        {
            var free = new DriveInfo(Path.GetTempPath()).AvailableFreeSpace;
            report = free < rows * BytesPerRow
                ? report.Skip($"the time of a row for {rows:N0} rows: the disk has {free / 1e9:0.0} GB free, "
                    + $"{rows * BytesPerRow / 1e9:0.0} GB are needed.")
                : report.Add(new RowTime(rows, await SecondsAsync(rows, report.Rounds)));
            await save(report);
        }

        return report;
    }

    private static async Task<double> SecondsAsync(long rows, int rounds)
    {
        await using var lab = await ExportLab.CreateAsync(rows);
        var check = await lab.CheckAsync(rows);
        await using var service = await lab.StartServiceAsync();
        await (await ExportLab.TakeAsync(service, WarmUp, "csv", "gzip")).Batch.DisposeAsync();
        var seconds = new List<double>();
        for (var round = 1; round <= (rows > MostOfRounds ? 1 : rounds); round++)
        {
            var (run, batch) = await ExportLab.TakeAsync(service, rows, "csv", "gzip");
            await using (batch)
                await check.CompareAsync("an export", run.Outputs, "csv", isPacked: true);
            seconds.Add(run.Time.TotalSeconds);
        }

        await lab.DropAsync();
        return Figure.Median(seconds);
    }
}
