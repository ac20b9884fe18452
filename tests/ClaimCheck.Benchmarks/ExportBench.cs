using Spectre.Console;

namespace ClaimCheck.Benchmarks;

/// <summary>How long an export takes from the request to ready, against psql doing the same by hand.</summary>
internal static class ExportBench
{
    private const string ToFile = """psql -qc "\copy ($0) to '$1' csv" """;
    private const string ToGzip = """psql -qc "\copy ($0) to stdout csv" | gzip -1 > "$1" """;

    public static async Task<IReadOnlyList<Figure>> RunAsync(ExportLab lab, long orders, int rounds)
    {
        await using var service = await lab.StartServiceAsync();
        var plain = new List<(TimeSpan, TimeSpan)>();
        var packed = new List<(TimeSpan, TimeSpan)>();
        var json = new List<TimeSpan>();
        long ourBytes = 0, peerBytes = 0;
        for (var round = 0; round <= rounds; round++)
        {
            var peerPlain = await lab.PeerAsync(orders, ToFile);
            var (oursPlain, _) = await ExportLab.ExportAsync(service, orders, "csv", "none");
            var peerPacked = await lab.PeerAsync(orders, ToGzip);
            peerBytes = new FileInfo(lab.File).Length;
            var (oursPacked, export) = await ExportLab.ExportAsync(service, orders, "csv", "gzip");
            var (oursJson, _) = await ExportLab.ExportAsync(service, orders, "ndjson", "gzip");
            ourBytes = export.Progress.Bytes;
            AnsiConsole.MarkupLineInterpolated(
                $"[grey]{(round == 0 ? "warm-up" : $"round {round}")}: csv {oursPlain.TotalSeconds:0.00} s, psql {peerPlain.TotalSeconds:0.00} s; gzip {oursPacked.TotalSeconds:0.00} s, psql | gzip -1 {peerPacked.TotalSeconds:0.00} s; ndjson gzip {oursJson.TotalSeconds:0.00} s[/]");
            if (round == 0)
                continue;
            plain.Add((oursPlain, peerPlain));
            packed.Add((oursPacked, peerPacked));
            json.Add(oursJson);
        }

        return
        [
            Figure.OfTimes($"CSV, {orders:N0} orders; psql \\copy to a file", plain, 1.2),
            Figure.OfTimes($"CSV gzip, {orders:N0} orders; psql | gzip -1", packed, 0.9),
            new(
                "bytes of that gzip",
                ourBytes.ToString("N0"),
                peerBytes.ToString("N0"),
                ((double)ourBytes / peerBytes).ToString("0.000"),
                "no more",
                ourBytes <= peerBytes),
            new(
                $"NDJSON gzip, {orders:N0} orders; no peer",
                Figure.Median(json.Select(time => time.TotalSeconds)).ToString("0.00 s"),
                "",
                "",
                "shown",
                true),
        ];
    }
}
