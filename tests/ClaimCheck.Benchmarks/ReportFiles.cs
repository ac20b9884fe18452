using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using ClaimCheck.Benchmarks.Reports;
using ClaimCheck.Testing;
using Spectre.Console;

namespace ClaimCheck.Benchmarks;

/// <summary>Shows a run's figures, and writes them to where they are kept.</summary>
/// <param name="chart">Where the chart goes, if not beside the figures.</param>
/// <param name="pages">A folder whose performance.md and performance.svg are renewed too.</param>
internal sealed class ReportFiles(string? chart, string? pages)
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };
    private Report? saved;

    public static void Show(Report report)
    {
        var table = new Table().AddColumns(
            "work", "peer", "ours", "peer's", "ratio", "aim", "", "bytes", "CPU s/GB", "peer's", "peak");
        foreach (var one in report.Comparisons)
            table.AddRow([.. FigurePage.Cells(one).Select(Markup.Escape)]);
        AnsiConsole.Write(table);
        foreach (var time in report.RowTimes)
            AnsiConsole.MarkupLineInterpolated($"{time.Rows:N0} rows: {time.Seconds:0.00} s, {time.Microseconds:0.00} µs a row");
        if (!report.IsFlat)
            AnsiConsole.MarkupLine("The time of a row grows with the rows: [red]missed[/].");
        if (report.Comparisons.Any(one => one.PeakBytes > Report.MostBytes))
            AnsiConsole.MarkupLineInterpolated($"Peak memory above {Report.MostBytes / 1_000_000} MB: [red]missed[/].");
    }

    /// <summary>Shows what has been added to the run, and writes all of it.</summary>
    public async Task SaveAsync(Report report)
    {
        foreach (var line in report.Lines().Except(saved?.Lines() ?? []))
            AnsiConsole.MarkupLineInterpolated($"{line}");
        saved = report;

        var folder = Directory.CreateDirectory(Path.Combine(S3Endpoint.RepositoryRoot(), "artifacts", "bench")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "export.json"), JsonSerializer.Serialize(report, Indented) + "\n");
        await File.WriteAllTextAsync(chart ?? Path.Combine(folder, "export.svg"), RatioChart.Draw(report));
        if (pages is null)
            return;
        var page = Path.Combine(pages, "performance.md");
        await File.WriteAllTextAsync(page, FigurePage.Renew(await File.ReadAllTextAsync(page), report));
        await File.WriteAllTextAsync(Path.Combine(pages, "performance.svg"), RatioChart.Draw(report));
    }

    /// <summary>What the figures depend on, without the machine's name.</summary>
    public static async Task<string> MachineAsync()
    {
        var postgres = await Scene.ScalarAsync<string>(await PostgresServer.NewDatabaseAsync(), "SHOW server_version");
        var model = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{model?.Split(':')[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:0} GB, {RuntimeInformation.FrameworkDescription}, PostgreSQL {postgres}; database, service and peers share it");
    }
}
