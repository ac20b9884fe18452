using ClaimCheck.Benchmarks;
using ClaimCheck.Benchmarks.Reports;
using Spectre.Console;

if (args is [ReadBench.Verb, var service, var batch, var linkHost])
    return await ReadBench.ReadHereAsync(new Uri(service), batch, linkHost);

if (args is [LoadBench.Verb, var from, var loaded, var host])
    return await LoadBench.LoadHereAsync(new Uri(from), loaded, host);

if (args is [PlainExport.Verb, var format, var count, var file])
    return await PlainExport.ExportHereAsync(format, long.Parse(count), file);

if (args.Contains("--help") || args.Contains("-h"))
{
    Console.WriteLine(
        """
        ./dev bench [--only NAME] [--orders N] [--rounds N] [--flat [N]] [--chart FILE] [--write FOLDER]

        Measures the service side by side with peers, in one run on this machine, over a generated table of orders:
          export   CSV and NDJSON against psql's \copy, alone and with gzip, pigz, igzip and aws s3 cp, against the same in plain .NET,
                   and over 4 slow connections against one; every output is compared with the table
          memory   the service's peak for 1,000,000 and for 10,000,000 orders
          read     a consumer's typed, verified reading from S3 against curl | gunzip
          load     1,000,000 orders from S3 into a consumer's table against COPY FROM PROGRAM 'curl | gunzip' and an upsert
          deliver  from ready to a consumer's handler, over SNS and SQS
          fan-out  1,000,000 orders to three consumers by link against messages of 1,000 records
          jobs     1,000,000 updates as bulk jobs against the same update by hand, and against a REST call for each

          catalog  lists over a catalog with 1,000,000 past exports against the same over one with 200 (needs to be named)

          --only NAME  one of them; of export also a part: export/pigz, export/ndjson, export/s3, "export/4 connections" are the
                       comparisons whose names have that text, export/flat is what --flat adds

          --orders N   rows to export (5,000,000)
          --items N    items of a bulk job (1,000,000)
          --rounds N   measured rounds of each pair, taken in turns; medians are shown (3)

        Of export, which also writes artifacts/bench/export.json and export.svg, after each comparison:
          --flat [N]      also the time of a row in exports of 10,000 to N rows (50,000,000), as far as the disk has room
          --chart FILE    draws the chart there
          --write FOLDER  renews performance.md and performance.svg in that folder: --write docs
        """);
    return 0;
}

if (Console.IsOutputRedirected)
    AnsiConsole.Console = AnsiConsole.Create(new() { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, 140);

string[] known = ["export", "memory", "read", "load", "deliver", "fan-out", "jobs", "catalog"];
var only = Text("--only")?.Split('/', 2);
var orders = Option("--orders", 5_000_000);
var rounds = (int)Option("--rounds", 3);
try
{
    if (only is not null && !known.Contains(only[0]))
        throw new BenchException($"--only takes one of {string.Join(", ", known)}; ./dev bench --help says what they are.");
    var figures = new List<Figure>();
    if (Wants("jobs"))
        figures.AddRange(await BulkJobBench.RunAsync(Option("--items", 1_000_000), Math.Min(rounds, 3)));
    if (only is ["catalog", ..])
        figures.AddRange(await CatalogBench.RunAsync());
    if (only is ["jobs" or "catalog", ..])
    {
        Figure.Show(figures);
        return figures.All(figure => figure.IsReached) ? 0 : 1;
    }

    var report = Wants("export") ? await ExportAsync() : null;
    if (only is not ["export", ..])
    {
        await using var lab = await ExportLab.CreateAsync(
            Math.Max(orders, Wants("memory") ? MemoryBench.Most : Wants("read") || Wants("load") ? LoadBench.Few : 0));
        if (Wants("memory"))
            figures.AddRange(await MemoryBench.RunAsync(lab, orders));
        if (Wants("read"))
            figures.AddRange(await ReadBench.RunAsync(lab, orders, rounds));
        if (Wants("load"))
            figures.AddRange(await LoadBench.RunAsync(lab, Math.Max(orders, LoadBench.Few), rounds));
        if (Wants("deliver"))
            figures.AddRange(await DeliveryBench.RunAsync(lab));
        if (Wants("fan-out"))
            figures.AddRange(await FanOutBench.RunAsync(lab, Math.Min(orders, 1_000_000)));
    }

    if (report is not null)
        ReportFiles.Show(report);
    if (figures.Count > 0)
        Figure.Show(figures);
    return report?.IsReached != false && figures.All(figure => figure.IsReached) ? 0 : 1;
}
catch (Exception e)
{
    // A stack trace helps nobody who only measures.
    var kind = e is BenchException ? "" : $"{e.GetType().Name}: ";
    AnsiConsole.MarkupLineInterpolated($"[red]{kind}{e.Message.ReplaceLineEndings(" ")}[/]");
    return 2;
}

bool Wants(string name) => only?[0] is not { } one ? name != "catalog" : one == name;

long Option(string name, long usual) =>
    Text(name) is { } text && long.TryParse(text, out var value) && value > 0 ? value : usual;

string? Text(string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;

async Task<Report> ExportAsync()
{
    var named = only is [_, var part] ? part : "";
    var files = new ReportFiles(Text("--chart"), Text("--write"));
    if (named.Length > 0 && Text("--write") is not null)
        throw new BenchException("--write renews the whole page: measure all of export with it.");
    var report = new Report(
        TimeProvider.System.GetUtcNow(), await ReportFiles.MachineAsync(), $"./dev bench {string.Join(' ', args)}".Trim(),
        orders, rounds);
    if (named != "flat")
    {
        await using var lab = await ExportLab.CreateAsync(orders);
        await using var bench = new ExportBench(lab, orders, named, files.SaveAsync);
        report = await bench.RunAsync(report);
        await lab.DropAsync();
    }

    return named == "flat" || args.Contains("--flat")
        ? await FlatBench.RunAsync(report, Option("--flat", FlatBench.Most), files.SaveAsync)
        : report;
}
