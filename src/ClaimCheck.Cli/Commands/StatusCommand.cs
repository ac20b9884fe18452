namespace ClaimCheck.Cli.Commands;

/// <summary>One export, or one batch, in its present state.</summary>
internal static class StatusCommand
{
    public static Command Make()
    {
        var id = ExportName.Argument();
        return new Command(
            "status", "Shows an export (exp_…) or a batch (bat_…) as it is now, even after its end; exits 0 whatever its state.")
            .With(id)
            .Runs(async (session, cancellationToken) =>
            {
                if (session.Get(id) is { Batch: { } batchId })
                {
                    var batch = await session.Client.GetBatchAsync(batchId, cancellationToken);
                    session.Screen.Document(Redaction.ToJson(batch));
                    ExportSummary.Show(session.Screen, batch);
                    return ExitCodes.Ok;
                }
                var export = await session.Client.GetExportAsync(
                    session.Get(id).Export!.Value, cancellationToken: cancellationToken);
                session.Screen.Document(Redaction.ToJson(export));
                ExportSummary.Show(session.Screen, export);
                return ExitCodes.Ok;
            });
    }
}
