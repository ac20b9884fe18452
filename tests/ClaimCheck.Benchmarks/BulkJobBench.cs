using System.Diagnostics;
using System.Net;
using ClaimCheck.Contracts;
using ClaimCheck.Service.BulkJobs.Targets;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;
using Spectre.Console;

namespace ClaimCheck.Benchmarks;

/// <summary>Updates of <c>orders.status</c> as bulk jobs, from the request to completed, against psql doing
/// the same by hand.</summary>
internal sealed class BulkJobBench : IAsyncDisposable
{
    private const int Calls = 3000;
    private const long Growth = 50_000_000;

    // What an operator does: the rows into a temporary table, and one UPDATE.
    private const string ByHand = """
        psql -q -v ON_ERROR_STOP=1 -c 'CREATE TEMP TABLE u (id bigint, status text)' -c "\copy u from '$0' csv header" -c 'UPDATE orders o SET status = u.status FROM u WHERE o.id = u.id'
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("claimcheck-jobs-").FullName;
    private readonly string target;
    private readonly long items;
    private int turn;

    private BulkJobBench(string target, long items) => (this.target, this.items) = (target, items);

    public static async Task<IReadOnlyList<Figure>> RunAsync(long items, int rounds)
    {
        await using var bench = new BulkJobBench(await PostgresServer.NewDatabaseAsync(), items);
        AnsiConsole.MarkupLineInterpolated($"[grey]Making {items:N0} orders…[/]");
        await bench.PrepareAsync();
        await using var service = await ServiceProcess.StartAsync(new Dictionary<string, string>
        {
            ["ConnectionStrings__Catalog"] = await PostgresServer.NewDatabaseAsync(),
            ["ConnectionStrings__target"] = bench.target,
            ["ClaimCheck__Datasets"] = Directory.CreateDirectory(Path.Combine(bench.folder, "datasets")).FullName,
            ["ClaimCheck__Operations"] = Path.Combine(bench.folder, "operations"),
            ["ClaimCheck__DataDirectory"] = Path.Combine(bench.folder, "data"),
        });
        await bench.JobAsync(service, "item", items, badOneIn: 0);
        var small = ProcessCost.PeakOf(service.Pid);

        var (set, item, bad) =
            (new List<(TimeSpan, TimeSpan)>(), new List<(TimeSpan, TimeSpan)>(), new List<(TimeSpan, TimeSpan)>());
        var perItem = new List<double>();
        for (var round = 1; round <= rounds; round++)
        {
            var hand = await bench.ByHandAsync();
            var ofSet = await bench.JobAsync(service, "set", items, badOneIn: 0);
            var ofItems = await bench.JobAsync(service, "item", items, badOneIn: 0);
            var ofBad = await bench.JobAsync(service, "item", items, badOneIn: 100);
            var calls = await bench.CallsAsync();
            AnsiConsole.MarkupLineInterpolated(
                $"[grey]round {round}: by hand {hand.TotalSeconds:0.00} s; set {ofSet.TotalSeconds:0.00} s, item {ofItems.TotalSeconds:0.00} s, item with 1 % bad {ofBad.TotalSeconds:0.00} s; {Calls:N0} REST calls {calls.TotalSeconds:0.00} s[/]");
            set.Add((ofSet, hand));
            item.Add((ofItems, hand));
            bad.Add((ofBad, hand));
            perItem.Add(calls / Calls * items / ofItems);
        }

        await bench.JobAsync(service, "item", items * 3, badOneIn: 0);
        var slowest = await AcceptAsync(service);
        var faster = Figure.Median(perItem);
        var large = ProcessCost.PeakOf(service.Pid);
        return
        [
            Figure.OfTimes($"bulk job, form set, {items:N0} updates; by hand", set, 1.5),
            Figure.OfTimes($"bulk job, form item, {items:N0} updates; by hand", item, 2.5),
            Figure.OfTimes("the same with 1 % bad items; by hand", bad, 3),
            new("202 for ten inline items, 99th percentile", $"{slowest.TotalMilliseconds:0.0} ms", "", "", "at most 50 ms",
                slowest <= TimeSpan.FromMilliseconds(50)),
            new("form item against a REST call for each item", "", "", $"{faster:0.0} x faster", "at least 20 x", faster >= 20),
            new(
                $"peak memory, {items * 3:N0} items; {items:N0}", $"{large / 1_000_000.0:0} MB", $"{small / 1_000_000.0:0} MB",
                $"{(large - small) / 1_000_000.0:0} MB",
                "at most 50 MB more", large - small <= Growth),
        ];
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task PrepareAsync()
    {
        await ExecuteAsync(SampleOrders.Script(items));
        await ExecuteAsync("ALTER TABLE orders ADD CHECK (status <> 'bad')");
        await ExecuteAsync(TargetScript.Sql);
        await ExecuteAsync("VACUUM (FREEZE, ANALYZE) orders");
        var operations = Directory.CreateDirectory(Path.Combine(folder, "operations")).FullName;
        const string definition =
            """{ "target": "target", "form": "FORM", "key": "id", "parameters": { "id": { "type": "bigint" }, "status": { "type": "text" } } }""";
        foreach (var (form, sql) in new[]
        {
            ("item", "UPDATE orders SET status = :status WHERE id = :id"),
            ("set", "UPDATE orders o SET status = i.status FROM items i WHERE o.id = i.id RETURNING i.ordinal"),
        })
        {
            await File.WriteAllTextAsync(
                Path.Combine(operations, form + ".json"), definition.Replace("FORM", form, StringComparison.Ordinal));
            await File.WriteAllTextAsync(Path.Combine(operations, form + ".sql"), sql);
        }
    }

    // Each run leaves the table as the one before found it, but for the status.
    private async Task<string> BodyAsync(long count, int badOneIn, bool isCsv)
    {
        await ExecuteAsync("VACUUM orders");
        await ExecuteAsync("CHECKPOINT");
        var status = $"turn{++turn}";
        var path = Path.Combine(folder, "body");
        await using var writer = new StreamWriter(path);
        if (isCsv)
            await writer.WriteLineAsync("id,status");
        for (var id = 1L; id <= count; id++)
        {
            var order = 1 + ((id - 1) % items);
            var value = badOneIn > 0 && id % badOneIn == 0 ? "bad" : status;
            await writer.WriteAsync(isCsv ? $"{order},{value}\n" : $$"""{"id":{{order}},"status":"{{value}}"}""" + "\n");
        }

        return path;
    }

    private async Task<TimeSpan> JobAsync(ServiceProcess service, string form, long count, int badOneIn)
    {
        var path = await BodyAsync(count, badOneIn, isCsv: false);
        using var http = service.NewHttp();
        http.Timeout = TimeSpan.FromMinutes(5);
        await using var body = File.OpenRead(path);
        using var content = new StreamContent(body, 128 << 10);
        content.Headers.ContentType = new("application/x-ndjson");
        var watch = Stopwatch.StartNew();
        using var answer = await http.PostAsync($"/v1/bulk-jobs?operation={form}", content);
        if (answer.StatusCode != HttpStatusCode.Accepted)
            throw new BenchException($"The job was refused: {await answer.Content.ReadAsStringAsync()}");
        http.DefaultRequestHeaders.Add("Prefer", "wait=60");
        BulkJob job;
        do
            job = System.Text.Json.JsonSerializer.Deserialize<BulkJob>(
                await http.GetStringAsync(answer.Headers.Location), ClaimCheckJson.Options)!;
        while (!BulkJobStatus.IsEnd(job.Status));
        var time = watch.Elapsed;
        var expected = count - (badOneIn > 0 ? count / badOneIn : 0);
        return job.Status == BulkJobStatus.Completed && job.Succeeded == expected
            ? time
            : throw new BenchException($"The job ended as {job.Status} with {job.Succeeded} applied: {job.Failure}.");
    }

    // The 99th percentile of how long a request takes to be accepted.
    private static async Task<TimeSpan> AcceptAsync(ServiceProcess service)
    {
        using var http = service.NewHttp();
        var body =
            $$"""{ "operation": "item", "items": [ {{string.Join(", ", Enumerable.Range(1, 10).Select(id => $$"""{ "id": {{id}}, "status": "inline" }"""))}} ] }""";
        var times = new List<TimeSpan>();
        for (var i = 0; i < 500; i++)
        {
            using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            var watch = Stopwatch.StartNew();
            using var answer = await http.PostAsync("/v1/bulk-jobs", content);
            times.Add(watch.Elapsed);
            if (answer.StatusCode != HttpStatusCode.Accepted)
                throw new BenchException($"A job was refused: {await answer.Content.ReadAsStringAsync()}");
        }

        times.Sort();
        return times[(int)(times.Count * 0.99)];
    }

    private async Task<TimeSpan> ByHandAsync()
    {
        var path = await BodyAsync(items, 0, isCsv: true);
        var start = new ProcessStartInfo("sh", ["-c", ByHand, path]).WithPsqlAt(target);
        var watch = Stopwatch.StartNew();
        using var psql = Process.Start(start) ?? throw new BenchException("No shell could be started.");
        await psql.WaitForExitAsync();
        return psql.ExitCode == 0 ? watch.Elapsed : throw new BenchException("psql failed: is it installed?");
    }

    // The smallest service that updates one order a call, and a client that calls it for one after another.
    private async Task<TimeSpan> CallsAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var source = NpgsqlDataSource.Create(target);
        await using var app = builder.Build();
        app.MapPut("/orders/{id:long}/status/{status}", async (long id, string status) =>
        {
            await using var command = source.CreateCommand("UPDATE orders SET status = $2 WHERE id = $1");
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = id });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = status });
            return await command.ExecuteNonQueryAsync() == 1 ? Results.NoContent() : Results.NotFound();
        });
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        using (await http.PutAsync("/orders/1/status/warm", null))
        {
        }

        var watch = Stopwatch.StartNew();
        for (var id = 1; id <= Calls; id++)
        {
            using var answer = await http.PutAsync($"/orders/{id}/status/called{turn}", null);
            answer.EnsureSuccessStatusCode();
        }

        return watch.Elapsed;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(target);
        await connection.OpenAsync();
#pragma warning disable CA2100 // The bench's own text.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
