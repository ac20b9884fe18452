using ClaimCheck.Benchmarks.Reports;
using ClaimCheck.Testing;
using Npgsql;
using Spectre.Console;

namespace ClaimCheck.Benchmarks;

/// <summary>How long an export takes from the request to ready, against others doing the same.</summary>
internal sealed class ExportBench(ExportLab lab, long orders, int rounds) : IAsyncDisposable
{
    // One slowed connection needs about so long.
    private const int SlowSeconds = 20;
    private readonly List<Comparison> comparisons = [];
    private readonly List<string> skipped = [];
    private readonly List<IAsyncDisposable> started = [];
    private readonly ShellPeer shell = new(lab.Source, lab.Folder, orders);

    public IReadOnlyList<Comparison> Comparisons => comparisons;

    /// <summary>What could not be measured here, and what to install.</summary>
    public IReadOnlyList<string> Skipped => skipped;

    public async Task RunAsync()
    {
        var check = await lab.CheckAsync(orders);
        var folder = Start(await lab.StartServiceAsync());
        var plain = Ours(folder, "csv", "none");
        var packed = Ours(folder, "csv", "gzip");
        var json = Ours(folder, "ndjson", "gzip");
        Work[] works =
        [
            new("csv", plain, "psql \\copy to a file", Shell(ShellPeer.ToFile), 0.65),
            new("csv", plain, "two psql over halves of one snapshot", Shell(ShellPeer.HalvesToFiles), 0.95),
            new("csv gzip", packed, "psql | gzip -1", Shell(ShellPeer.To("gzip -1")), 0.50) { LimitsBytes = true },
            new("csv gzip", packed, "psql | pigz -1 -p 2", Shell(ShellPeer.To("pigz -1 -p 2")), 0.72) { Needs = "pigz" },
            new("csv gzip", packed, "psql | igzip -1", Shell(ShellPeer.To("igzip -1")), 0.80) { Needs = "igzip" },
            new("csv gzip", packed, "two psql over halves | igzip -1", Shell(ShellPeer.Halves), 0.92) { Needs = "igzip" },
            new("ndjson gzip", json, "psql row_to_json | gzip -1", Shell(ShellPeer.Json), 0.25) { Format = "ndjson" },
            new("csv gzip", packed, "Dapper, CsvHelper, GZipStream", Plain("csv"), 0.3) { PeerLosesNull = true },
            new("ndjson gzip", json, "Dapper, Utf8JsonWriter, GZipStream", Plain("ndjson"), 0.3) { Format = "ndjson" },
        ];
        foreach (var work in works)
            await CompareAsync(work, check);

        var bucket = Ours(Start(await lab.StartOnS3Async()), "csv", "gzip");
        Work[] toS3 =
        [
            new("csv gzip to S3", bucket, "the same to a folder", packed, 1.10) { PeerIsOurs = true },
            new("csv gzip to S3", bucket, "psql | gzip -1 | aws s3 cp -", Shell(ShellPeer.ToS3), 0.45) { Needs = "aws" },
            new("csv gzip to S3", bucket, "Dapper, CsvHelper, GZipStream, TransferUtility", Plain("csv", toS3: true), 0.3)
            {
                PeerLosesNull = true,
            },
        ];
        foreach (var work in toS3)
            await CompareAsync(work, check);
        await CompareAsync(await SlowlyAsync(), check);
    }

    public async ValueTask DisposeAsync()
    {
        started.Reverse();
        foreach (var one in started)
            await one.DisposeAsync();
    }

    private async Task<Work> SlowlyAsync()
    {
        var address = new NpgsqlConnectionStringBuilder(lab.Source);
        // An order has about 85 bytes as CSV.
        var rate = Math.Max(1_000_000, orders * 85 / SlowSeconds);
        var proxy = Start(new SlowProxy(address.Host!, address.Port, rate));
        address.Port = proxy.Port;
        var four = Start(await SlowServiceAsync(4));
        var one = Start(await SlowServiceAsync(1));
        return new($"csv gzip over 4 connections of {rate / 1_000_000.0:0.#} MB/s", Ours(four, "csv", "gzip"),
            "over one connection", Ours(one, "csv", "gzip"), 0.30)
        {
            PeerIsOurs = true,
        };

        // Small exports are cut too, so that they can be tried.
        Task<ServiceProcess> SlowServiceAsync(int connections) => lab.StartServiceAsync(
            [
                new("ClaimCheck__Exporting__Connections", $"{connections}"),
                new("ClaimCheck__Exporting__RangeBytes", $"{Math.Clamp(orders * 4, 1 << 20, 32 << 20)}"),
            ],
            address.ConnectionString);
    }

    private async Task CompareAsync(Work work, OutputCheck check)
    {
        if (work.Needs is { } needed && ShellPeer.Missing(needed) is [var missing])
        {
            skipped.Add($"{work.Peer}: '{missing}' is not installed (apt-get install {Package(missing)}).");
            AnsiConsole.MarkupLineInterpolated($"[grey]skipped: {skipped[^1]}[/]");
            return;
        }

        var taken = new List<(Run Ours, Run Peer)>();
        long plainBytes = 0, peerPlainBytes = 0;
        for (var round = 0; round <= rounds; round++)
        {
            // Outputs are compared before the next run replaces them, and outside of what is timed.
            var peer = await work.Theirs();
            peerPlainBytes = await check.CompareAsync(
                work.Peer, peer.Outputs, work.Format, work.IsPacked, nullIsEmpty: work.PeerLosesNull);
            var ours = await work.Ours();
            plainBytes = await check.CompareAsync(work.Name, ours.Outputs, work.Format, work.IsPacked);
            AnsiConsole.MarkupLineInterpolated(
                $"[grey]{(round == 0 ? "warm-up" : $"round {round}")}: {work.Name} {ours.Time.TotalSeconds:0.00} s; {work.Peer} {peer.Time.TotalSeconds:0.00} s[/]");
            if (round > 0)
                taken.Add((ours, peer));
        }

        comparisons.Add(new(
            work.Name,
            work.Peer,
            Figure.Median(taken.Select(pair => pair.Ours.Time.TotalSeconds)),
            Figure.Median(taken.Select(pair => pair.Peer.Time.TotalSeconds)),
            Figure.Median(taken.Select(pair => pair.Ours.Time / pair.Peer.Time)),
            work.Reach)
        {
            BytesRatio = work.IsPacked && taken[^1].Peer.Bytes > 0 ? (double)taken[^1].Ours.Bytes / taken[^1].Peer.Bytes : null,
            LimitsBytes = work.LimitsBytes,
            CpuPerGigabyte = Figure.Median(taken.Select(pair => pair.Ours.CpuSeconds)) / plainBytes * 1e9,
            PeerCpuPerGigabyte =
                work.PeerIsOurs ? null : Figure.Median(taken.Select(pair => pair.Peer.CpuSeconds)) / peerPlainBytes * 1e9,
            PeakBytes = taken.Max(pair => pair.Ours.PeakBytes),
        });
    }

    private Func<Task<Run>> Ours(ServiceProcess service, string format, string compression)
    {
        IAsyncDisposable? last = null;
        return async () =>
        {
            if (last is not null)
                await last.DisposeAsync();
            var (run, batch) = await ExportLab.TakeAsync(service, orders, format, compression);
            last = batch;
            return run;
        };
    }

    private Func<Task<Run>> Shell(string script) => () => shell.RunAsync(script);

    private Func<Task<Run>> Plain(string format, bool toS3 = false) => () => shell.PlainAsync(format, toS3);

    private static string Package(string program) => program switch { "igzip" => "isal", "aws" => "awscli", _ => program };

    private T Start<T>(T one)
        where T : IAsyncDisposable
    {
        started.Add(one);
        return one;
    }

    private sealed record Work(string Name, Func<Task<Run>> Ours, string Peer, Func<Task<Run>> Theirs, double Reach)
    {
        public string Format { get; init; } = "csv";

        /// <summary>The program that the peer can't do without.</summary>
        public string? Needs { get; init; }

        public bool LimitsBytes { get; init; }

        /// <summary>Whether the peer writes NULL as the empty text.</summary>
        public bool PeerLosesNull { get; init; }

        public bool PeerIsOurs { get; init; }

        public bool IsPacked => Name != "csv";
    }
}
