using ClaimCheck.Benchmarks.Reports;
using ClaimCheck.Testing;
using Npgsql;
using Spectre.Console;

namespace ClaimCheck.Benchmarks;

/// <summary>How long an export takes from the request to ready, against others doing the same.</summary>
/// <param name="lab">The table.</param>
/// <param name="orders">Its rows.</param>
/// <param name="named">A part of the names of the comparisons that are wanted.</param>
/// <param name="save">Is called after each comparison, so that a run that is cut short leaves figures too.</param>
internal sealed class ExportBench(ExportLab lab, long orders, string named, Func<Report, Task> save) : IAsyncDisposable
{
    // One slowed connection needs about so long.
    private const int SlowSeconds = 20;

    // A service compiles what runs often once more, in the background, for about ten seconds of exports.
    private const int WarmUps = 3;

    private readonly List<IAsyncDisposable> started = [];
    private readonly ShellPeer shell = new(lab.Source, lab.Folder, orders);

    /// <summary>Fills in the report.</summary>
    public async Task<Report> RunAsync(Report report)
    {
        var works = Works().Where(work => work.Text.Contains(named, StringComparison.OrdinalIgnoreCase)).ToList();
        if (works.Count == 0)
            throw new BenchException(
                $"No comparison has '{named}' in its name: {string.Join("; ", Works().Select(work => work.Text))}.");
        var check = await lab.CheckAsync(orders);
        foreach (var work in works)
        {
            if (work.Needs.FirstOrDefault(program => !ShellPeer.Has(program)) is { } missing)
                report = report.Skip(
                    $"{work.Text}: {missing} is not installed (on Debian: apt-get install {ShellPeer.PackageOf(missing)}).");
            else
                report = report.Add(await CompareAsync(work, report.Rounds, check));
            await save(report);
        }

        return report;
    }

    public async ValueTask DisposeAsync()
    {
        started.Reverse();
        foreach (var one in started)
            await one.DisposeAsync();
    }

    private List<Work> Works()
    {
        var folder = Later(() => lab.StartServiceAsync());
        var bucket = Later(lab.StartOnS3Async);
        var (plain, packed, json) = (Ours(folder, "csv", "none"), Ours(folder, "csv", "gzip"), Ours(folder, "ndjson", "gzip"));
        var toS3 = Ours(bucket, "csv", "gzip");

        var address = new NpgsqlConnectionStringBuilder(lab.Source);
        // An order has about 85 bytes as CSV.
        var rate = Math.Max(1_000_000, orders * 85 / SlowSeconds);
        var proxy = new Lazy<SlowProxy>(() => Start(new SlowProxy(address.Host!, address.Port, rate)));
        return
        [
            new("csv", plain, "psql \\copy to a file", Shell(ShellPeer.ToFile), 0.65) { Needs = ["psql"] },
            new("csv", plain, "two psql over halves of one snapshot", Shell(ShellPeer.HalvesToFiles), 0.95) { Needs = ["psql"] },
            new("csv gzip", packed, "psql | gzip -1", Shell(ShellPeer.To("gzip -1")), 0.50)
            {
                LimitsBytes = true,
                Needs = ["psql"],
            },
            new("csv gzip", packed, "psql | pigz -1 -p 2", Shell(ShellPeer.To("pigz -1 -p 2")), 0.72)
            {
                Needs = ["psql", "pigz"],
            },
            new("csv gzip", packed, "psql | igzip -1", Shell(ShellPeer.To("igzip -1")), 0.80) { Needs = ["psql", "igzip"] },
            new("csv gzip", packed, "two psql over halves | igzip -1", Shell(ShellPeer.Halves), 0.92)
            {
                Needs = ["psql", "igzip"],
            },
            new("ndjson gzip", json, "psql row_to_json | gzip -1", Shell(ShellPeer.Json), 0.25)
            {
                Format = "ndjson",
                Needs = ["psql"],
            },
            new("csv gzip", packed, "Dapper, CsvHelper, GZipStream", Plain("csv"), 0.3) { PeerLosesNull = true },
            new("ndjson gzip", json, "Dapper, Utf8JsonWriter, GZipStream", Plain("ndjson"), 0.3) { Format = "ndjson" },
            new("csv gzip to S3", toS3, "the same to a folder", packed, 1.10) { PeerIsOurs = true },
            new("csv gzip to S3", toS3, "psql | gzip -1 | aws s3 cp -", Shell(ShellPeer.ToS3), 0.45) { Needs = ["psql", "aws"] },
            new("csv gzip to S3", toS3, "Dapper, CsvHelper, GZipStream, TransferUtility", Plain("csv", toS3: true), 0.3)
            {
                PeerLosesNull = true,
            },
            new($"csv gzip over 4 connections of {rate / 1_000_000.0:0.#} MB/s", Ours(Slow(4), "csv", "gzip"),
                "over one connection", Ours(Slow(1), "csv", "gzip"), 0.30)
            {
                PeerIsOurs = true,
            },
        ];

        // About a hundred ranges, so that no connection waits long for the last one.
        Lazy<Task<ServiceProcess>> Slow(int connections) => Later(() => lab.StartServiceAsync(
            [
                new("ClaimCheck__Exporting__Connections", $"{connections}"),
                new("ClaimCheck__Exporting__RangeBytes", $"{Math.Clamp(orders, 1 << 20, 32 << 20)}"),
            ],
            new NpgsqlConnectionStringBuilder(lab.Source) { Port = proxy.Value.Port }.ConnectionString));
    }

    private static async Task<Comparison> CompareAsync(Work work, int rounds, OutputCheck check)
    {
        var taken = new List<(Run Ours, Run Peer)>();
        long plainBytes = 0, peerPlainBytes = 0;
        for (var round = 1; round <= rounds; round++)
        {
            var peer = await work.Theirs();
            var ours = await work.Ours();
            // Outside of what is timed, and before the next round replaces the outputs.
            var checks = await Task.WhenAll(
                Task.Run(() => check.CompareAsync(work.Name, ours.Outputs, work.Format, work.IsPacked)),
                Task.Run(() => check.CompareAsync(work.Peer, peer.Outputs, work.Format, work.IsPacked, work.PeerLosesNull)));
            (plainBytes, peerPlainBytes) = (checks[0], checks[1]);
            taken.Add((ours, peer));
            AnsiConsole.MarkupLineInterpolated(
                $"[grey]round {round}: {work.Name} {ours.Time.TotalSeconds:0.00} s; {work.Peer} {peer.Time.TotalSeconds:0.00} s; both outputs are the table[/]");
        }

        return new(
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
        };
    }

    private Func<Task<Run>> Ours(Lazy<Task<ServiceProcess>> service, string format, string compression)
    {
        IAsyncDisposable? last = null;
        return async () =>
        {
            for (var left = last is null ? WarmUps : 0; ; left--)
            {
                if (last is not null)
                    await last.DisposeAsync();
                (var run, last) = await ExportLab.TakeAsync(await service.Value, orders, format, compression);
                if (left == 0)
                    return run;
            }
        };
    }

    private Func<Task<Run>> Shell(string script) => () => shell.RunAsync(script);

    private Func<Task<Run>> Plain(string format, bool toS3 = false) => () => shell.PlainAsync(format, toS3);

    // A filter may want none that needs it.
    private Lazy<Task<ServiceProcess>> Later(Func<Task<ServiceProcess>> start) => new(async () => Start(await start()));

    private T Start<T>(T one)
        where T : IAsyncDisposable
    {
        started.Add(one);
        return one;
    }

    private sealed record Work(string Name, Func<Task<Run>> Ours, string Peer, Func<Task<Run>> Theirs, double Reach)
    {
        public string Format { get; init; } = "csv";

        /// <summary>The programs that the peer can't do without.</summary>
        public IReadOnlyList<string> Needs { get; init; } = [];

        public bool LimitsBytes { get; init; }

        /// <summary>Whether the peer writes NULL as the empty text.</summary>
        public bool PeerLosesNull { get; init; }

        public bool PeerIsOurs { get; init; }

        public bool IsPacked => Name != "csv";

        public string Text => $"{Name} against {Peer}";
    }
}
