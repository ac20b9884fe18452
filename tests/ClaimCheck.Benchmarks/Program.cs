using ClaimCheck.Benchmarks;
using Spectre.Console;

if (args.Contains("--help") || args.Contains("-h"))
{
    Console.WriteLine(
        """
        ./dev bench [--orders N] [--rounds N]

        Measures the service side by side with peers, in one run on this machine, over a generated table of orders:
          export   CSV against psql's \copy into a file, gzip against psql | gzip -1
          memory   the service's peak for 1,000,000 and for 10,000,000 orders

          --orders N   rows to export (5,000,000)
          --rounds N   measured rounds of each pair, taken in turns; medians are shown (5)
        """);
    return 0;
}

if (Console.IsOutputRedirected)
    AnsiConsole.Console = AnsiConsole.Create(new() { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, 140);

var orders = Option("--orders", 5_000_000);
var rounds = (int)Option("--rounds", 5);
try
{
    await using var lab = await ExportLab.CreateAsync(Math.Max(orders, MemoryBench.Most));
    var figures = new List<Figure>();
    figures.AddRange(await ExportBench.RunAsync(lab, orders, rounds));
    figures.AddRange(await MemoryBench.RunAsync(lab, orders));
    Figure.Show(figures);
    return figures.All(figure => figure.IsReached) ? 0 : 1;
}
catch (BenchException e)
{
    AnsiConsole.MarkupLineInterpolated($"[red]{e.Message}[/]");
    return 2;
}

long Option(string name, long usual) =>
    Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length && long.TryParse(args[at + 1], out var value) && value > 0 ? value : usual;
