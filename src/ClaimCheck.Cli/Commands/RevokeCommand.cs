namespace ClaimCheck.Cli.Commands;

/// <summary>Revokes a batch, or cancels an export that is not ready yet.</summary>
internal static class RevokeCommand
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static Command Make()
    {
        var id = ExportName.Argument();
        var reason =
            new Option<string?>("--reason") { Description = "Why, for the report and for consumers.", HelpName = "TEXT" };
        var noWait = new Option<bool>("--no-wait")
        {
            Description = "Do not wait until the deletion is verified; it continues at the service.",
        };
        var timeout = ValueOptions.Duration("--timeout", "How long to wait for that; 10m by default, exit code 6 afterwards.");
        return new Command("revoke", "Revokes a batch: its links are dead, its files deleted, and the report proves it. Cancels "
            + "an export that still runs.")
            .With(id, reason, noWait, timeout)
            .Runs(async (session, cancellationToken) =>
            {
                var first = await RevokeAsync(session, session.Get(id), session.Get(reason), cancellationToken);
                var last = first.IsVerified || session.Get(noWait)
                    ? first
                    : await VerifiedAsync(session, first, session.Get(timeout) ?? TimeSpan.FromMinutes(10), cancellationToken);
                session.Screen.Document(Redaction.ToJson(last.Report));
                Show(session.Screen, last.Report);
                return last.IsVerified || session.Get(noWait) ? ExitCodes.Ok : ExitCodes.Unavailable;
            });
    }

    private static Task<Revocation> RevokeAsync(
        Session session, ExportName name, string? reason, CancellationToken cancellationToken) =>
        name.Batch is { } batch
            ? session.Client.RevokeAsync(batch, reason, cancellationToken)
            : session.Client.CancelExportAsync(name.Export!.Value, reason, cancellationToken);

    private static async Task<Revocation> VerifiedAsync(
        Session session, Revocation first, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var batch = first.Report.BatchId;
        var since = Stopwatch.GetTimestamp();
        var last = first;
        session.Screen.Hint(
            $"{batch} is {first.Report.State}: new links are refused. Waiting until the deletion is verified.");
        try
        {
            while (!last.IsVerified && Stopwatch.GetElapsedTime(since) < timeout)
            {
                await Task.Delay(Pause, cancellationToken);
                try
                {
                    last = await session.Client.RevokeAsync(batch, cancellationToken: cancellationToken);
                }
                catch (ServiceUnavailableException)
                {
                    // It is committed; the report is requested again.
                }
            }
        }
        catch (OperationCanceledException)
        {
            session.Screen.Note(
                $"Interrupted. {batch} stays revoked and the deletion continues: 'claimcheck revoke {batch}' shows the report.");
            throw;
        }
        if (!last.IsVerified)
            session.Screen.Note($"claimcheck: {batch} is revoked, but its deletion is not verified after {timeout}. It "
                + "continues; the same command shows the report.");
        return last;
    }

    private static void Show(Screen screen, RevocationReport report)
    {
        screen.Facts(
            ("batch", $"{report.BatchId}"),
            ("state", report.State),
            ("reason", report.Reason),
            ("since", Amounts.Time(report.RevokedAt)),
            ("verified", Amounts.Time(report.VerifiedAt) ?? $"not yet{(report.Pending is { } pending ? $": {pending}" : "")}"),
            ("objects", $"{report.Objects.Deleted} deleted, {report.Objects.Remaining} remaining, "
                + $"{report.Objects.UploadsAborted} uploads aborted"),
            ("fetched by", report.Redeemed.Count > 0
                ? string.Join(", ", report.Redeemed.Select(who => $"{who.Caller} ({who.Times})"))
                : "nobody"),
            ("with it", report.Cascaded.Count > 0 ? string.Join(", ", report.Cascaded) : null));
        if (report.Probes.Count > 0)
        {
            screen.Table(
                ["LINK TO", "BEFORE", "AFTER", "SEEN"],
                [.. report.Probes.Select(
                    probe => new[] { probe.Object, $"{probe.Before}", $"{probe.After}", Amounts.Time(probe.At) ?? "" })]);
        }
    }
}
