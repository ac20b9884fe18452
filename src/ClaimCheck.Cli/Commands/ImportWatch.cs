using ClaimCheck.Import.Runs;

namespace ClaimCheck.Cli.Commands;

/// <summary>Shows runs while they work, and how they ended.</summary>
internal static class ImportWatch
{
    /// <summary>One run, with a bar.</summary>
    public static async Task<int> ShowAsync(
        Screen screen, Func<Action<ImportRun>, CancellationToken, Task<ImportRun>> import, CancellationToken cancellationToken)
    {
        var last = "";
        try
        {
            var ended = await new LiveProgress(screen).ShowAsync("import", show =>
            {
                var telling = new Lock();
                return import(
                    run =>
                    {
                        lock (telling)
                        {
                            last = run.RunId;
                            show(new(StateOf(run), run.Counts.Succeeded + run.Counts.Failed + run.Counts.Invalid,
                                run.Counts.Records, null));
                        }
                    },
                    cancellationToken);
            });
            screen.Document(Redaction.ToJson(ended));
            Facts(screen, ended);
            return Conclude(screen, ended);
        }
        catch (OperationCanceledException) when (last.Length > 0)
        {
            screen.Note(
                $"Interrupted. 'claimcheck import resume {last}' continues from here; nothing that succeeded is sent again.");
            throw;
        }
    }

    /// <summary>All runs of a source, each as it ends; with JSON one line for each.</summary>
    public static async Task<int> ShowAllAsync(
        Screen screen, Func<Action<ImportRun>, CancellationToken, Task> watch, CancellationToken cancellationToken)
    {
        var telling = new Lock();
        var worst = ExitCodes.Ok;
        await watch(
            run =>
            {
                if (!RunState.IsEnd(run.State) || run.Active)
                    return;
                lock (telling)
                {
                    screen.Document(Redaction.ToJson(run));
                    var counts = run.Counts;
                    screen.Line($"{run.RunId}  {run.File}  {StateOf(run)}: {Amounts.Count(counts.Succeeded)} succeeded, "
                        + $"{Amounts.Count(counts.Failed)} failed, {Amounts.Count(counts.Invalid)} invalid");
                    var code = Conclude(screen, run);
                    worst = worst == ExitCodes.Ok || code == ExitCodes.Ended ? code : worst;
                }
            },
            cancellationToken);
        return worst;
    }

    public static string StateOf(ImportRun run) => run switch
    {
        { Active: false } when !RunState.IsEnd(run.State) => "interrupted",
        { NextRetryAt: not null, Counts.Pending: 0 } => "waiting to retry",
        _ => run.State,
    };

    public static void Facts(Screen screen, ImportRun run) => screen.Facts(
        ("run", run.RunId),
        ("file", run.File),
        ("state", StateOf(run)),
        ("records", run.Counts.Records is { } all ? Amounts.Count(all) : null),
        ("succeeded", Amounts.Count(run.Counts.Succeeded)),
        ("retrying", run.Counts.Retrying > 0 ? Amounts.Count(run.Counts.Retrying) : null),
        ("pending", run.Counts.Pending > 0 ? Amounts.Count(run.Counts.Pending) : null),
        ("failed", Amounts.Count(run.Counts.Failed)),
        ("invalid", Amounts.Count(run.Counts.Invalid)),
        ("started", Amounts.Time(run.StartedAt)),
        ("ended", Amounts.Time(run.EndedAt)),
        ("ends about", Amounts.Time(run.EstimatedEndAt)),
        ("next retry", Amounts.Time(run.NextRetryAt)),
        ("failures", run.Rejects),
        ("retry of", run.RetryOf));

    private static int Conclude(Screen screen, ImportRun run)
    {
        if (run.Failure is { } failure)
        {
            screen.Note($"claimcheck: {run.RunId} has failed ({failure.Code}): {failure.Detail}");
            if (failure.Code == ImportCodes.AlreadyImported)
                screen.Hint("'claimcheck import start … --again' imports it once more.");
        }
        if (run.State != RunState.Completed)
            return ExitCodes.Ended;
        if (run.Counts.Failed + run.Counts.Invalid == 0)
            return ExitCodes.Ok;
        screen.Hint($"'claimcheck import report {run.RunId}' says why records failed, 'claimcheck import retry "
            + $"{run.RunId}' sends them once more.");
        return ExitCodes.Incomplete;
    }
}
