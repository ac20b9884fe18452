namespace ClaimCheck.Cli.Commands;

/// <summary>A batch's files, verified, on disk.</summary>
internal static class DownloadCommand
{
    public static Command Make()
    {
        var id = ExportName.Argument();
        var output = new Option<string?>("--out", "-o")
        {
            Description = "The directory; made if missing, ./bat_… by default.",
            HelpName = "DIR",
        };
        var wait = new Option<bool>("--wait") { Description = "Wait until the export is ready." };
        var timeout = ValueOptions.Duration("--timeout", "How long to wait for that (exit code 6 afterwards).");
        return new Command(
                "download",
                "Downloads a batch and verifies every block. If it is interrupted or killed, the same command continues: files "
                + "are named ….partial until they are complete, existing data is verified again, and manifest.json comes last. "
                + "If the batch is revoked meanwhile, no incomplete download is kept.")
            .With(id, output, wait, timeout)
            .Runs(async (session, cancellationToken) =>
            {
                var name = session.Get(id);
                if (session.Get(wait))
                {
                    var export = await name.ExportAsync(session.Client, cancellationToken);
                    await ExportWatch.UntilSettledAsync(session, export, session.Get(timeout), null, cancellationToken);
                }
                var batch = await name.BatchAsync(session.Client, cancellationToken);
                session.Screen.Document(
                    await BatchDownload.RunAsync(session, batch, session.Get(output) ?? $"{batch}", cancellationToken));
                return ExitCodes.Ok;
            });
    }
}
