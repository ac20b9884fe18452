using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using ClaimCheck.Adapter.Tables;
using ClaimCheck.Consumer;
using ClaimCheck.Consumer.Handling;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Spectre.Console;

namespace ClaimCheck.Benchmarks;

/// <summary>
/// How fast orders go from a link to S3 into a consumer's own table, with inbox, checkpoints, outcomes and receipts, against the
/// same by hand: <c>COPY … FROM PROGRAM 'curl | gunzip'</c> into a staging table, and one statement from there. (Before version
/// 18 psql's \copy takes a line of <c>\.</c> within a quoted text for the end; the orders have some.) The loader
/// is a process of its own.
/// </summary>
internal static class LoadBench
{
    /// <summary>The verb that this program runs itself with.</summary>
    public const string Verb = "load-batch";
    public const long Few = 1_000_000;
    private const long Limit = 200_000_000;
    private const long Growth = 25_000_000;
    private const string Connection = "CLAIMCHECK_BENCH_CONSUMER";
    private const string Chunk = "CLAIMCHECK_BENCH_CHUNK";

    private const string Table = """
        DROP TABLE IF EXISTS orders;
        CREATE TABLE orders (id bigint PRIMARY KEY, customer text NOT NULL, status text NOT NULL, amount numeric(12,2) NOT NULL, currency char(3) NOT NULL,
                             note text, created_at timestamptz NOT NULL);
        CHECKPOINT
        """;

    // A staging table that is not logged is the fastest way by hand.
    private static string ByHand(string links) => $"""
        CREATE TEMP TABLE stage (LIKE orders);
        COPY stage FROM PROGRAM 'curl -s -K {links} | gunzip' WITH (FORMAT csv, HEADER);
        INSERT INTO orders SELECT * FROM stage
            ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, status = excluded.status, amount = excluded.amount, currency = excluded.currency,
                                           note = excluded.note, created_at = excluded.created_at;
        """;

    public static async Task<IReadOnlyList<Figure>> RunAsync(ExportLab lab, long orders, int rounds)
    {
        await using var service = await lab.StartOnS3Async();
        var consumer = await PostgresServer.NewDatabaseAsync();
        var few = await ExportLab.StageAsync(service, Few);
        var many = await ExportLab.StageAsync(service, orders);
        var times = new List<(TimeSpan Ours, TimeSpan Peer)>();
        long peak = 0;
        for (var round = 0; round <= rounds; round++)
        {
            var peer = await ByHandAsync(service, few, consumer);
            var ours = await LoadAsync(service, few, Few, consumer);
            peak = Math.Max(peak, ours.Peak);
            AnsiConsole.MarkupLineInterpolated(
                $"[grey]{(round == 0 ? "warm-up" : $"round {round}")}: load {ours.Time.TotalSeconds:0.00} s, by hand {peer.TotalSeconds:0.00} s[/]");
            if (round > 0)
                times.Add((ours.Time, peer));
        }

        var large = (await LoadAsync(service, many, orders, consumer)).Peak;
        // At four fifths of the speed by hand it takes a quarter longer.
        return
        [
            Figure.OfTimes($"loading {Few:N0} orders from S3 into a table; COPY FROM PROGRAM, upsert", times, 1.25),
            new($"peak memory, {orders:N0} orders; {Few:N0}", Megabytes(large), Megabytes(peak), Megabytes(large - peak),
                "at most 200 MB, flat", large <= Limit && large - peak <= Growth),
        ];
    }

    /// <summary>The consumer's process: loads, and prints how many, how long and how much memory.</summary>
    public static async Task<int> LoadHereAsync(Uri service, string batch, string linkHost)
    {
        var id = BatchId.TryParse(batch, out var parsed) ? parsed : throw new BenchException("No batch.");
        var size = int.TryParse(Environment.GetEnvironmentVariable(Chunk), out var set)
            ? set
            : ClaimCheck.Adapter.Options.DestinationReader.DefaultChunkSize;
        var table = new TableDestination
        {
            ConnectionString = Environment.GetEnvironmentVariable(Connection)!,
            Table = TableName.TryParse("orders", out var name) ? name : throw new BenchException("No table."),
            ChunkSize = size,
            Lease = TimeSpan.FromSeconds(30),
        };
        using var client = new ClaimCheckClient(
            new ClaimCheckClientOptions { BaseAddress = service, Consumer = $"bench-{Environment.ProcessId}" });
        using var reader = new BatchReader(client, new BatchReaderOptions { AllowedLinkHosts = [linkHost] });
        var context = new RecordRunnerContext(client, reader, $"bench-{Environment.ProcessId}", TimeSpan.FromSeconds(5), null);
        await using var run = new RecordRunner(context, TableInboxes.OptionsOf(table), NullLoggerFactory.Instance);
        using var stop = new CancellationTokenSource();
        var receipts = run.RunAsync(stop.Token);
        var watch = Stopwatch.StartNew();
        var found = await client.GetBatchAsync(id);
        var ready = ClaimCheck.Adapter.Steps.LoadStep.Ready(found);
        var result = await run.ApplyAsync(new TableLoader(table, 3, NullLogger.Instance), ready,
            new RecordOptions { ChunkSize = size }, CancellationToken.None);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{result.Counts.Succeeded} {watch.Elapsed.TotalSeconds} {ProcessCost.PeakOf(Environment.ProcessId)}"));
        await stop.CancelAsync();
        await receipts;
        return 0;
    }

    private static async Task<(TimeSpan Time, long Peak)> LoadAsync(
        ServiceProcess service, BatchId batch, long orders, string consumer)
    {
        await EmptyAsync(consumer);
        var endpoint = await S3Endpoint.GetAsync();
        var start = new ProcessStartInfo(
            "dotnet",
            [typeof(LoadBench).Assembly.Location, Verb, service.Address.ToString(), batch.ToString(), endpoint.Url.Authority])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
            Environment = { [Connection] = consumer },
        };
        using var loader = Process.Start(start) ?? throw new BenchException("The consumer could not be started.");
        var said = await loader.StandardOutput.ReadToEndAsync();
        await loader.WaitForExitAsync();
        return said.Split(' ') is [var count, var seconds, var peak] && long.Parse(count) == orders
            ? (TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)), long.Parse(peak))
            : throw new BenchException("The consumer did not load all orders.");
    }

    private static async Task<TimeSpan> ByHandAsync(ServiceProcess service, BatchId batch, string consumer)
    {
        await EmptyAsync(consumer);
        using var http = service.NewHttp();
        var manifest = await http.GetFromJsonAsync<Manifest>($"/v1/batches/{batch}/manifest", ClaimCheckJson.Options);
        var file = manifest!.Files is [var single] ? single : throw new BenchException("By hand takes one file.");
        // Links stay out of the process list: curl reads them from a file. The server's user reads it too.
        var links = Path.Combine(Directory.CreateTempSubdirectory("claimcheck-bench-").FullName, "links");
        await File.WriteAllTextAsync(links, $"url = \"{file.Url.Reveal()}\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path.GetDirectoryName(links)!, (UnixFileMode)0b111_001_001);
        var start = new ProcessStartInfo("psql", ["-qX", "-v", "ON_ERROR_STOP=1"])
        {
            RedirectStandardInput = true,
            UseShellExecute = false,
        }.WithPsqlAt(consumer);
        var watch = Stopwatch.StartNew();
        using var psql = Process.Start(start) ?? throw new BenchException("psql could not be started.");
        await psql.StandardInput.WriteAsync(ByHand(links));
        psql.StandardInput.Close();
        await psql.WaitForExitAsync();
        var time = watch.Elapsed;
        Directory.Delete(Path.GetDirectoryName(links)!, recursive: true);
        var loaded = await Scene.ScalarAsync<long>(consumer, "SELECT count(*) FROM orders");
        return psql.ExitCode == 0 && loaded == manifest.Records
            ? time
            : throw new BenchException("psql failed: is it installed?");
    }

    private static Task EmptyAsync(string consumer) => Scene.SqlAsync(consumer, Table);

    private static string Megabytes(long bytes) => $"{bytes / 1_000_000.0:0} MB";
}
