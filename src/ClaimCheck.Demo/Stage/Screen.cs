using Spectre.Console;

namespace ClaimCheck.Demo.Stage;

/// <summary>What the person sees: colours and bars on a terminal, plain lines elsewhere.</summary>
internal sealed class Screen
{
    private readonly bool isTerminal = !Console.IsOutputRedirected;
    private readonly IAnsiConsole console;

    public Screen()
    {
        if (isTerminal)
        {
            console = AnsiConsole.Console;
            return;
        }
        console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = 160;
    }

    public void Title(string text)
    {
        console.WriteLine();
        console.MarkupLine($"[bold]ClaimCheck[/]  {Markup.Escape(text)}");
    }

    public void Step(int number, int of, string title, string explanation)
    {
        console.WriteLine();
        console.MarkupLine($"[bold cyan]{number}/{of}  {Markup.Escape(title)}[/]");
        foreach (var line in explanation.Split('\n'))
            console.MarkupLine($"     [grey]{Markup.Escape(line)}[/]");
    }

    public void Line(string text) => console.MarkupLine($"     {Markup.Escape(text)}");

    public void Good(string text) => console.MarkupLine($"     [green]{(isTerminal ? "✓" : "ok:")}[/] {Markup.Escape(text)}");

    public void Failure(string text) => console.MarkupLine($"[bold red]{Markup.Escape(text)}[/]");

    public void Figure(string name, string value) => console.MarkupLine($"     {Markup.Escape(name),-22} [bold]{Markup.Escape(value)}[/]");

    /// <summary>Text as it is, indented; for JSON.</summary>
    public void Text(string text)
    {
        foreach (var line in text.Split('\n'))
            console.Profile.Out.Writer.WriteLine("     " + line); // not wrapped: it is to be copied
    }

    /// <summary>A bar (or, elsewhere than on a terminal, a line now and then) while something goes on.</summary>
    /// <param name="name">What goes on.</param>
    /// <param name="work">It reports a share of 1 and a figure.</param>
    public async Task ProgressAsync(string name, Func<Action<double, string>, Task> work)
    {
        if (!isTerminal)
        {
            var shown = 0;
            await work((share, figure) =>
            {
                // Each quarter once.
                if ((int)(share * 4) is var quarter && quarter > shown)
                {
                    shown = quarter;
                    Line($"{name}: {share:P0}, {figure}");
                }
            });
            return;
        }
        await console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask(Markup.Escape($"     {name}"));
                await work((share, figure) =>
                {
                    bar.Value = Math.Clamp(share, 0, 1) * 100;
                    bar.Description = Markup.Escape($"     {name}: {figure}");
                });
                bar.Value = 100;
            });
    }

    public static string Size(double bytes) => bytes switch
    {
        < 1_000 => $"{bytes:0} bytes",
        < 1_000_000 => $"{bytes / 1_000:0.0} KB",
        < 1_000_000_000 => $"{bytes / 1_000_000:0.0} MB",
        _ => $"{bytes / 1_000_000_000:0.00} GB",
    };
}
