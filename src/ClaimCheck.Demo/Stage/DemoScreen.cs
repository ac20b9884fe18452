using System.Text;
using System.Text.Encodings.Web;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ClaimCheck.Demo.Stage;

/// <summary>The output for the viewer: colours and bars on a terminal, plain lines elsewhere.</summary>
internal sealed class DemoScreen
{
    /// <summary>Indented, and with every character as it is.</summary>
    public static readonly JsonSerializerOptions Json =
        new(JsonSerializerOptions.Default) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const int Margin = 5;
    private const int Names = 22;
    private const int Widest = 120;
    private readonly bool isTerminal = !Console.IsOutputRedirected;
    private readonly IAnsiConsole console;

    public DemoScreen()
    {
        console = AnsiConsole.Create(isTerminal ? new AnsiConsoleSettings() : new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        // Lines are wrapped here, so that the next ones are indented too, and links stay whole.
        console.Profile.Width = 10_000;
    }

    // Without a terminal a program reads the output: then only explanations are wrapped.
    private int Room => isTerminal ? AnsiConsole.Console.Profile.Width : int.MaxValue;

    public void Title(string text)
    {
        console.WriteLine();
        Write("[bold]ClaimCheck[/]  ", 12, "default", text, Room);
    }

    public void Step(int number, int of, string title, string explanation)
    {
        console.WriteLine();
        console.MarkupLine($"[bold cyan]{number}/{of}  {Markup.Escape(title)}[/]");
        Write(Blanks(Margin), Margin, "grey", explanation, Math.Min(Room, Widest));
    }

    public void End(string text)
    {
        console.WriteLine();
        Write("", 0, "default", text, Room);
    }

    public void Line(string text) => Write(Blanks(Margin), Margin, "default", text, Room);

    public void Good(string text) =>
        Write($"{Blanks(Margin)}[green]{(isTerminal ? "✓" : "ok:")}[/] ", Margin + 2, "default", text, Room);

    public void Failure(string text) => Write("", 0, "bold red", text, Room);

    public void Figure(string name, string value) =>
        Write($"{Blanks(Margin)}{Markup.Escape(name),-Names} ", Margin + Names + 1, "bold", value, Room);

    /// <summary>Text unchanged, indented; for JSON.</summary>
    public void Text(string text)
    {
        foreach (var line in text.Split('\n'))
            console.Profile.Out.Writer.WriteLine("     " + line); // not wrapped, so that it can be copied
    }

    /// <summary>A progress bar (or occasional lines without a terminal).</summary>
    /// <param name="name">The activity.</param>
    /// <param name="work">Reports a share of 1 and a figure.</param>
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
        await AnsiConsole.Console.Progress()
            .Columns(new MarginColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(),
                new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask(Markup.Escape(name));
                await work((share, figure) =>
                {
                    bar.Value = Math.Clamp(share, 0, 1) * 100;
                    bar.Description = Markup.Escape($"{name}: {figure}");
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

    public static string Files(long count) => count == 1 ? "1 file" : $"{count:N0} files";

    // Wraps between words. A word that does not fit is left to the terminal: most are links, which must stay copyable.
    private void Write(string lead, int indent, string style, string text, int room)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split((char[])[' ', '\n']))
        {
            if (line.Length > 0 && indent + line.Length + 1 + word.Length > room)
                Flush();
            line.Append(line.Length > 0 ? " " : "").Append(word);
        }
        Flush();

        void Flush()
        {
            console.MarkupLine($"{lead}[{style}]{Markup.Escape(line.ToString())}[/]");
            lead = Blanks(indent);
            line.Clear();
        }
    }

    private static string Blanks(int count) => new(' ', count);

    private sealed class MarginColumn : ProgressColumn
    {
        // A column is followed by a blank.
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(Blanks(Margin - 1));
    }
}
