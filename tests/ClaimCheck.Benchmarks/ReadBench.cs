using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;
using Spectre.Console;

namespace ClaimCheck.Benchmarks;

/// <summary>
/// How fast a consumer reads orders from S3 into typed records, every block verified, against <c>curl | gunzip</c> of the same
/// files into nothing. The consumer is a process of its own, whose peak memory is looked at.
/// </summary>
internal static class ReadBench
{
    /// <summary>The verb that this program runs itself with.</summary>
    public const string Verb = "read-batch";
    private const long Limit = 200_000_000;
    private const long Growth = 25_000_000;
    private const long Few = 1_000_000;

    public static async Task<IReadOnlyList<Figure>> RunAsync(ExportLab lab, long orders, int rounds)
    {
        await using var service = await lab.StartOnS3Async();
        var many = await ExportLab.StageAsync(service, orders);
        var few = await ExportLab.StageAsync(service, Few);
        var times = new List<(TimeSpan Ours, TimeSpan Peer)>();
        long peak = 0;
        for (var round = 0; round <= rounds; round++)
        {
            var peer = await CurlAsync(service, many);
            var ours = await ReadAsync(service, many, orders);
            peak = Math.Max(peak, ours.Peak);
            AnsiConsole.MarkupLineInterpolated(
                $"[grey]{(round == 0 ? "warm-up" : $"round {round}")}: read {ours.Time.TotalSeconds:0.00} s, curl | gunzip {peer.TotalSeconds:0.00} s[/]");
            if (round > 0)
                times.Add((ours.Time, peer));
        }

        var small = (await ReadAsync(service, few, Few)).Peak;
        // At half the peer's speed it takes twice as long.
        return
        [
            Figure.OfTimes($"reading {orders:N0} orders from S3, typed, verified; curl | gunzip", times, 2.0),
            new($"peak memory of that; of {Few:N0}", Megabytes(peak), Megabytes(small), Megabytes(peak - small),
                "at most 200 MB, flat", peak <= Limit && peak - small <= Growth),
        ];
    }

    /// <summary>The consumer's process: reads, and prints how many, how long and how much memory.</summary>
    public static async Task<int> ReadHereAsync(Uri service, string batch, string linkHost)
    {
        using var client = new ClaimCheckClient(service);
        using var reader = new BatchReader(client, new BatchReaderOptions { AllowedLinkHosts = [linkHost] });
        var watch = Stopwatch.StartNew();
        var (count, cents) = (0L, 0m);
        await foreach (var order in reader.ReadAsync<Order>(
            BatchId.TryParse(batch, out var id) ? id : throw new BenchException("No batch.")))
        {
            count++;
            cents += order.Amount;
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} {watch.Elapsed.TotalSeconds} {ProcessCost.PeakOf(Environment.ProcessId)} {cents}"));
        return 0;
    }

    private static async Task<(TimeSpan Time, long Peak)> ReadAsync(ServiceProcess service, BatchId batch, long orders)
    {
        var endpoint = await S3Endpoint.GetAsync();
        var start = new ProcessStartInfo(
            "dotnet",
            [typeof(ReadBench).Assembly.Location, Verb, service.Address.ToString(), batch.ToString(), endpoint.Url.Authority])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var consumer = Process.Start(start) ?? throw new BenchException("The consumer could not be started.");
        var said = await consumer.StandardOutput.ReadToEndAsync();
        await consumer.WaitForExitAsync();
        return said.Split(' ') is [var count, var seconds, var peak, _] && long.Parse(count) == orders
            ? (TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)), long.Parse(peak))
            : throw new BenchException("The consumer did not read all orders.");
    }

    private static async Task<TimeSpan> CurlAsync(ServiceProcess service, BatchId batch)
    {
        using var http = service.NewHttp();
        var manifest = await http.GetFromJsonAsync<Manifest>($"/v1/batches/{batch}/manifest", ClaimCheckJson.Options);
        // Links stay out of the process list: curl reads them from its input.
        var start = new ProcessStartInfo("sh", ["-c", "curl -s -K - | gunzip > /dev/null"])
        {
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        var watch = Stopwatch.StartNew();
        using var curl = Process.Start(start) ?? throw new BenchException("No shell could be started.");
        foreach (var file in manifest!.Files)
            await curl.StandardInput.WriteLineAsync($"url = \"{file.Url.Reveal()}\"");
        curl.StandardInput.Close();
        await curl.WaitForExitAsync();
        return curl.ExitCode == 0 ? watch.Elapsed : throw new BenchException("curl failed: is it installed?");
    }

    private static string Megabytes(long bytes) => $"{bytes / 1_000_000.0:0} MB";

    private sealed record Order(
        long Id, string Customer, string Status, decimal Amount, string Currency, string? Note, DateTimeOffset CreatedAt);
}
