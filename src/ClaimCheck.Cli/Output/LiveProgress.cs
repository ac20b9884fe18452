using Spectre.Console;

namespace ClaimCheck.Cli.Output;

/// <summary>The visible state of work in progress.</summary>
/// <param name="What">In words: a state, or an activity.</param>
/// <param name="Records">Rows so far.</param>
/// <param name="OfRecords">All rows, as far as known.</param>
/// <param name="Bytes">Bytes so far, where they are counted.</param>
/// <param name="SecondsLeft">How long it still takes, as far as known.</param>
internal sealed record Sight(string What, long Records, long? OfRecords, long? Bytes, double? SecondsLeft = null);

/// <summary>A progress bar on a terminal, occasional lines elsewhere; always on standard error.</summary>
internal sealed class LiveProgress(Screen screen)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(100);
    private readonly Rate rows = new();
    private readonly Rate bytes = new();

    public async Task<T> ShowAsync<T>(string title, Func<Action<Sight>, Task<T>> work)
    {
        if (screen.IsJson)
            return await work(_ => { });
        return Console.IsErrorRedirected ? await InLinesAsync(title, work) : await InBarAsync(title, work);
    }

    private async Task<T> InLinesAsync<T>(string title, Func<Action<Sight>, Task<T>> work)
    {
        Sight? last = null;
        long said = 0;
        return await work(sight =>
        {
            // A change of state at once, figures every few seconds, nothing where nothing changes.
            if (sight == last || (sight.What == last?.What && Stopwatch.GetElapsedTime(said) < Interval))
                return;
            screen.Note($"{title}: {Text(sight)}");
            (last, said) = (sight, Stopwatch.GetTimestamp());
        });
    }

    private async Task<T> InBarAsync<T>(string title, Func<Action<Sight>, Task<T>> work)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new ElapsedTimeColumn())
            .StartAsync(context =>
            {
                var bar = context.AddTask(Markup.Escape(Screen.Clean(title)));
                bar.IsIndeterminate = true;
                long drawn = 0;
                return work(sight =>
                {
                    if (Stopwatch.GetElapsedTime(drawn) < Redraw)
                        return;
                    drawn = Stopwatch.GetTimestamp();
                    bar.Description = Markup.Escape(Screen.Clean($"{title}: {Text(sight)}"));
                    if (sight.OfRecords is > 0 and var all)
                    {
                        bar.IsIndeterminate = false;
                        // An estimate may be too low.
                        bar.Value = Math.Min(100.0 * sight.Records / all, 100);
                    }
                });
            });
    }

    private string Text(Sight sight)
    {
        var (rowRate, byteRate) = (rows.Add(sight.Records), bytes.Add(sight.Bytes ?? 0));
        var of = sight.OfRecords is { } all ? $" of {Amounts.Count(all)}" : "";
        var size = sight.Bytes is { } stored ? $", {Amounts.Size(stored)}" : "";
        var sizeRate = sight.Bytes is null ? "" : $", {Amounts.Size(byteRate)}/s";
        var rate = rowRate >= 1 ? $", {Amounts.Count((long)rowRate)} rows/s{sizeRate}" : "";
        var left = sight.SecondsLeft is { } seconds ? $", about {Amounts.Seconds(seconds)} left" : "";
        return $"{sight.What}, {Amounts.Count(sight.Records)}{of} rows{size}{rate}{left}";
    }
}
