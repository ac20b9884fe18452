using ClaimCheck.Benchmarks.Reports;
using Spectre.Console;

namespace ClaimCheck.Benchmarks;

/// <summary>The time of a row in exports of ten thousand to fifty million rows, each of a table of that size.</summary>
internal static class FlatBench
{
    public const long Most = 50_000_000;

    // The table, its index, the server's log of the changes, and the export.
    private const long BytesPerRow = 500;
    private static readonly long[] Sizes = [10_000, 100_000, 1_000_000, 5_000_000, 10_000_000, 50_000_000];

    public static async Task<(IReadOnlyList<RowTime> Times, IReadOnlyList<string> Skipped)> RunAsync(long most, int rounds)
    {
        var times = new List<RowTime>();
        var skipped = new List<string>();
        foreach (var rows in Sizes.Where(rows => rows <= most))
        {
            var free = new DriveInfo(Path.GetTempPath()).AvailableFreeSpace;
            if (free < rows * BytesPerRow)
            {
                skipped.Add($"the time of a row for {rows:N0} rows: the disk has {free / 1e9:0.0} GB free, "
                    + $"{rows * BytesPerRow / 1e9:0.0} GB are needed.");
                AnsiConsole.MarkupLineInterpolated($"[grey]skipped: {skipped[^1]}[/]");
                continue;
            }

            await using var lab = await ExportLab.CreateAsync(rows);
            var check = await lab.CheckAsync(rows);
            await using var service = await lab.StartServiceAsync();
            var seconds = new List<double>();
            for (var round = 0; round <= rounds; round++)
            {
                var (run, batch) = await ExportLab.TakeAsync(service, rows, "csv", "gzip");
                await using (batch)
                    await check.CompareAsync("an export", run.Outputs, "csv", isPacked: true);
                if (round > 0)
                    seconds.Add(run.Time.TotalSeconds);
            }

            times.Add(new(rows, Figure.Median(seconds)));
            AnsiConsole.MarkupLineInterpolated($"[grey]{rows:N0} rows: {times[^1].Microseconds:0.00} µs a row[/]");
            await lab.DropAsync();
        }

        return (times, skipped);
    }
}
