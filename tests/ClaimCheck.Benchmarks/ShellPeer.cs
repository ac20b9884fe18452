using System.Diagnostics;
using System.Globalization;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Benchmarks;

/// <summary>What one round of a work or a peer took. What it wrote can be opened until the next one begins.</summary>
internal sealed record Run(TimeSpan Time, double CpuSeconds, long Bytes, IReadOnlyList<Func<Task<Stream>>> Outputs)
{
    /// <summary>The service's; 0 for peers.</summary>
    public long PeakBytes { get; init; }
}

/// <summary>What people type into a shell, over halves of the table in one exported snapshot.</summary>
/// <remarks>Scripts find the query in <c>$QUERY</c>, its halves in <c>$FIRST</c> and <c>$SECOND</c>, and write to
/// <c>$OUT</c> and <c>$OUT.2</c>; psql finds the server in its usual variables.</remarks>
internal sealed class ShellPeer(string source, string folder, long orders)
{
    public const string ToFile = """psql -qXc "\copy ($QUERY) to '$OUT' csv" """;
    public const string HalvesToFiles = $"""
        {Half} -c "\copy ($FIRST) to '$OUT' csv" & {Half} -c "\copy ($SECOND) to '$OUT.2' csv" & wait
        """;

    public const string Halves = $"""
        {Half} -c "\copy ($FIRST) to stdout csv" | igzip -1 > "$OUT" & {Half} -c "\copy ($SECOND) to stdout csv" | igzip -1 > "$OUT.2" & wait
        """;

    private const string Half =
        """psql -qX -c "BEGIN ISOLATION LEVEL REPEATABLE READ" -c "SET TRANSACTION SNAPSHOT '$SNAPSHOT'" """;

    public static string To(string compress) => $"""psql -qXc "\copy ($QUERY) to stdout csv" | {compress} > "$OUT" """;

    public const string Json =
        """psql -qXc "\copy (SELECT row_to_json(o) FROM ($QUERY) o) to stdout csv quote e'\x01' delimiter e'\x02'" | gzip -1 > "$OUT" """;

    public const string ToS3 = """
        psql -qXc "\copy ($QUERY) to stdout csv" | gzip -1 | aws --endpoint-url "$AWS_ENDPOINT_URL_S3" s3 cp --quiet - "s3://$BUCKET/$OUT_KEY"
        """;

    private readonly string file = Path.Combine(folder, "peer.out");

    public async Task<Run> RunAsync(string script)
    {
        Clear();
        await using var holder = new NpgsqlConnection(source);
        await holder.OpenAsync();
        await using var transaction = await holder.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using var asking = new NpgsqlCommand(
            "SELECT pg_export_snapshot(), ((SELECT ctid FROM orders WHERE id = $1)::text::point)[0]::bigint", holder)
        {
            Parameters = { new NpgsqlParameter<long> { TypedValue = Math.Max(1, orders / 2) } },
        };
        string snapshot;
        long middle;
        await using (var row = await asking.ExecuteReaderAsync())
        {
            await row.ReadAsync();
            (snapshot, middle) = (row.GetString(0), row.GetInt64(1));
        }

        var query = ExportLab.Query(orders.ToString(CultureInfo.InvariantCulture));
        var start = new ProcessStartInfo("sh", ["-c", $"{script.Trim()}\ntimes > \"$OUT.times\""])
        {
            Environment =
            {
                ["OUT"] = file,
                ["QUERY"] = query,
                ["FIRST"] = $"{query} AND ctid < '({middle},0)'",
                ["SECOND"] = $"{query} AND ctid >= '({middle},0)'",
                ["SNAPSHOT"] = snapshot,
            },
        }.WithPsqlAt(source);
        var outputs = new List<Func<Task<Stream>>>();
        if (script == ToS3)
        {
            var server = await S3Endpoint.GetAsync();
            var bucket = await server.NewBucketAsync();
            foreach (var (name, value) in server.Environment)
                start.Environment[name] = value;
            start.Environment["AWS_DEFAULT_REGION"] = server.Region;
            (start.Environment["BUCKET"], start.Environment["OUT_KEY"]) = (bucket, "orders");
            outputs.Add(async () => await server.Client.GetObjectStreamAsync(bucket, "orders", null));
        }

        var watch = Stopwatch.StartNew();
        using var shell = Process.Start(start) ?? throw new BenchException("No shell could be started.");
        await shell.WaitForExitAsync();
        var time = watch.Elapsed;
        var files = new[] { file, $"{file}.2" }.Where(File.Exists).ToList();
        foreach (var one in files)
            outputs.Add(() => Task.FromResult<Stream>(File.OpenRead(one)));
        return shell.ExitCode == 0 && File.Exists($"{file}.times")
            ? new(time, ProcessCost.OfTimes(await File.ReadAllTextAsync($"{file}.times")),
                files.Sum(one => new FileInfo(one).Length), outputs)
            : throw new BenchException($"The shell ended with {shell.ExitCode}: {script}");
    }

    /// <summary>The plain .NET way, in a process of its own.</summary>
    public async Task<Run> PlainAsync(string format, bool toS3 = false)
    {
        Clear();
        var start = new ProcessStartInfo(
            "dotnet", [typeof(ShellPeer).Assembly.Location, PlainExport.Verb, format, $"{orders}", file])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
            Environment = { [PlainExport.Source] = source },
        };
        Func<Task<Stream>> output = () => Task.FromResult<Stream>(File.OpenRead(file));
        if (toS3)
        {
            var server = await S3Endpoint.GetAsync();
            var bucket = await server.NewBucketAsync();
            start.Environment[PlainExport.Bucket] = $"{server.Url} {server.AccessKey} {server.SecretKey} {bucket} orders";
            output = async () => await server.Client.GetObjectStreamAsync(bucket, "orders", null);
        }

        using var process = Process.Start(start) ?? throw new BenchException("The plain export could not be started.");
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return said.Split(' ') is [var seconds, var cpu]
            ? new(
                TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)),
                double.Parse(cpu, CultureInfo.InvariantCulture), new FileInfo(file).Length, [output])
            : throw new BenchException("The plain export failed.");
    }

    public static bool Has(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>Debian's package with a program.</summary>
    public static string PackageOf(string program) => program switch
    {
        "psql" => "postgresql-client",
        "igzip" => "isal",
        "aws" => "awscli",
        _ => program,
    };

    private void Clear()
    {
        foreach (var old in Directory.EnumerateFiles(Path.GetDirectoryName(file)!, "peer.out*"))
            File.Delete(old);
    }
}
