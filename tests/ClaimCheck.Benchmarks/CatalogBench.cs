using System.Diagnostics;
using ClaimCheck.Testing;
using Spectre.Console;

namespace ClaimCheck.Benchmarks;

/// <summary>Each list over a catalog with a million past exports against the same list over one with two hundred.</summary>
internal static class CatalogBench
{
    private const int Past = 1_000_000;
    private const int Few = 200;
    private const double AtMost = 1.3;
    private const int Rounds = 100;

    public static async Task<IReadOnlyList<Figure>> RunAsync()
    {
        AnsiConsole.MarkupLineInterpolated($"[grey]Filling a catalog with {Past:N0} past exports…[/]");
        await using var past = await Catalog.CreateAsync(Past);
        await using var few = await Catalog.CreateAsync(Few);
        var figures = new List<Figure>();
        foreach (var call in Calls())
        {
            var rounds = new List<(TimeSpan Ours, TimeSpan Peer)>();
            for (var round = -10; round < Rounds; round++)
            {
                var times = (await past.TimeAsync(call), await few.TimeAsync(call));
                if (round >= 0)
                    rounds.Add(times); // the first ones warm up
            }

            figures.Add(Of(call, rounds));
        }

        return figures;
    }

    // Medians, not the rounds' own ratios: a call takes about as long as a hiccup of the machine.
    private static Figure Of(string call, List<(TimeSpan Ours, TimeSpan Peer)> rounds)
    {
        var (ours, peer) = (Figure.Median(rounds.Select(round => round.Ours.TotalMilliseconds)), Figure.Median(
            rounds.Select(round => round.Peer.TotalMilliseconds)));
        return new(
            call, $"{ours:0.00} ms", $"{peer:0.00} ms", $"{ours / peer:0.00}", $"at most {AtMost} x", ours / peer <= AtMost);
    }

    private static IEnumerable<string> Calls()
    {
        foreach (var state in (string[])["", "&state=ready", "&state=failed", "&state=expired", "&state=pending"])
        {
            foreach (var dataset in (string[])["", "&dataset=orders", "&dataset=rare"])
                yield return $"/v1/exports?limit=20{state}{dataset}";
        }

        foreach (var filter in (string[])["", "&status=failed", "&status=completed", "&operation=rare",
            "&operation=update_orders&status=failed"])
            yield return $"/v1/bulk-jobs?limit=20{filter}";
        yield return "/v1/events?limit=20";
    }

    private sealed class Catalog(Scene scene, HttpClient http) : IAsyncDisposable
    {
        public static async Task<Catalog> CreateAsync(int exports)
        {
            var scene = await Scene.CreateAsync(items: 10);
            // The first process makes the schema; the one that is measured finds the past there.
            await (await scene.StartServiceAsync(("ClaimCheck__Roles", "api"))).StopAsync();
            await Scene.SqlAsync(scene.Catalog, LongPast.Script(exports), TimeSpan.FromMinutes(30));
            return new(scene, (await scene.StartServiceAsync()).NewHttp());
        }

        public async Task<TimeSpan> TimeAsync(string call)
        {
            var watch = Stopwatch.StartNew();
            using var answer = await http.GetAsync(call);
            await answer.Content.ReadAsByteArrayAsync();
            return answer.IsSuccessStatusCode
                ? watch.Elapsed
                : throw new BenchException($"{call} answered {(int)answer.StatusCode}.");
        }

        public ValueTask DisposeAsync()
        {
            http.Dispose();
            return scene.DisposeAsync();
        }
    }
}
