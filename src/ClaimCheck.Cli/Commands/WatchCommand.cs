namespace ClaimCheck.Cli.Commands;

/// <summary>An export until it is ready or has ended.</summary>
internal static class WatchCommand
{
    public static Command Make()
    {
        var id = ExportName.Argument();
        var timeout = ValueOptions.Duration("--timeout", "Stop watching after this time (exit code 6); the export continues.");
        return new Command(
            "watch", "Follows an export until it is ready (0) or has ended otherwise (5); with --json one line for each change.")
            .With(id, timeout)
            .Runs(async (session, cancellationToken) =>
            {
                var export = await session.Get(id).ExportAsync(session.Client, cancellationToken);
                (string, ExportProgress)? told = null;
                var settled = await ExportWatch.UntilSettledAsync(
                    session, export, session.Get(timeout), seen =>
                    {
                        if (told != (seen.State, seen.Progress))
                            session.Screen.Document(Redaction.ToJson(seen));
                        told = (seen.State, seen.Progress);
                    }, cancellationToken);
                ExportSummary.Show(session.Screen, settled);
                return ExportWatch.Conclude(session, settled);
            });
    }
}
