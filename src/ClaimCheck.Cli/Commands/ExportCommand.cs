namespace ClaimCheck.Cli.Commands;

/// <summary>Requests an export; optionally waits for it and downloads it.</summary>
internal sealed class ExportCommand
{
    private readonly Argument<string> dataset =
        new("dataset") { Description = "What to export; 'claimcheck datasets' lists the datasets." };

    private readonly Option<string[]> where = new("--where")
    {
        Description = "A value for a parameter of the dataset; repeated for others. 'claimcheck datasets NAME' shows them. "
            + "Arrays: NAME=[1,2], or --where NAME=… once for each element.",
        HelpName = "NAME=VALUE",
    };

    private readonly Option<string?> format =
        new Option<string?>("--format") { Description = "csv (default) or ndjson.", HelpName = "FORMAT" };
    private readonly Option<string?> compression =
        new Option<string?>("--compression") { Description = "gzip (default) or none.", HelpName = "NAME" };
    private readonly Option<long?> maxFileBytes = ValueOptions.Bytes(
        "--max-file-bytes", "Close a file before it grows past this; 64 KiB to 5 GiB, 256 MiB by default.");
    private readonly Option<TimeSpan?> linkLifetime = ValueOptions.Duration(
        "--link-lifetime", "How long links live, up to 7 days.");
    private readonly Option<TimeSpan?> retention = ValueOptions.Duration(
        "--retention", "How long files are kept, counted from ready.");

    private readonly Option<string?> idempotencyKey = new("--idempotency-key")
    {
        Description = "The same key and request return the same export, however often they are sent.",
        HelpName = "KEY",
    };

    private readonly Option<bool> dryRun = new("--dry-run")
    {
        Description = "Make nothing: show how large the export is expected to be, how long it takes, and how it would be read.",
    };

    private readonly Option<bool> wait = new("--wait")
    {
        Description = "Wait until it is ready (0) or has ended otherwise (5). Ctrl-C stops the waiting, not the export.",
    };
    private readonly Option<TimeSpan?> timeout = ValueOptions.Duration("--timeout", "How long to wait (exit code 6 afterwards).");
    private readonly Option<string?> output = new("--out", "-o")
    {
        Description = "Wait, then download to this directory and verify, as 'claimcheck download' does.",
        HelpName = "DIR",
    };

    private readonly Option<bool> showLinks = new("--show-links")
    {
        Description = "With --json: links.staging with its signature. Everybody who sees a link can read the data, so it "
            + "is redacted otherwise.",
    };

    public static Command Make() => new ExportCommand().Command();

    private Command Command() =>
        new Command("export", "Asks for an export; with --wait waits for it, with --out DIR downloads it too.")
            .With(dataset, where, format, compression, maxFileBytes, linkLifetime, retention, idempotencyKey, dryRun, wait,
                timeout, output, showLinks)
            .Runs(RunAsync);

    private async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        if (session.Get(dryRun))
        {
            if (session.Get(wait) || session.Get(output) is not null)
                throw new UsageException("--dry-run makes no export: it can't be combined with --wait or --out.");
            var estimate = await EstimateAsync(session, cancellationToken);
            session.Screen.Document(JsonSerializer.SerializeToNode(estimate, ClaimCheckJson.Options)!);
            ExportSummary.Show(session.Screen, estimate);
            return ExitCodes.Ok;
        }

        var key = session.Get(idempotencyKey);
        var export = await AskAsync(session, key, cancellationToken);
        var directory = session.Get(output);
        if (!session.Get(wait) && directory is null)
        {
            session.Screen.Document(Redaction.ToJson(export, session.Get(showLinks)));
            ExportSummary.Show(session.Screen, export);
            if (!ExportState.IsSettled(export.State))
                session.Screen.Hint($"Follow it with 'claimcheck watch {export.ExportId}'.");
            // With an idempotency key it may have ended long ago.
            return ExportState.IsEnd(export.State) ? ExportWatch.Conclude(session, export) : ExitCodes.Ok;
        }

        export = await ExportWatch.UntilSettledAsync(session, export.ExportId, session.Get(timeout), null, cancellationToken);
        var document = Redaction.ToJson(export, session.Get(showLinks)).AsObject();
        ExportSummary.Show(session.Screen, export);
        if (directory is not null && export.State == ExportState.Ready)
            document["download"] = await BatchDownload.RunAsync(session, export.BatchId, directory, cancellationToken);
        session.Screen.Document(document);
        return ExportWatch.Conclude(session, export);
    }

    private async Task<ExportRequest> RequestAsync(Session session, CancellationToken cancellationToken)
    {
        var name = session.Get(dataset);
        var conditions = session.Get(where) ?? [];
        // Without conditions the dataset need not be looked up: the service checks its name.
        var criteria =
            conditions.Length > 0 ? Criteria.Of(await session.Client.GetDatasetAsync(name, cancellationToken), conditions) : null;
        return new ExportRequest
        {
            Dataset = name,
            Criteria = criteria,
            Format = session.Get(format),
            Compression = session.Get(compression),
            MaxFileBytes = session.Get(maxFileBytes),
            LinkLifetime = session.Get(linkLifetime) is { } life ? IsoDuration.Format(life) : null,
            Retention = session.Get(retention) is { } kept ? IsoDuration.Format(kept) : null,
        };
    }

    private async Task<ExportEstimate> EstimateAsync(Session session, CancellationToken cancellationToken)
    {
        var request = await RequestAsync(session, cancellationToken);
        try
        {
            return await session.Client.EstimateExportAsync(request, cancellationToken);
        }
        catch (RequestRejectedException e) when (e.Errors.ContainsKey("dataset"))
        {
            throw NoSuch(request.Dataset);
        }
    }

    private async Task<Export> AskAsync(Session session, string? key, CancellationToken cancellationToken)
    {
        var request = await RequestAsync(session, cancellationToken);
        try
        {
            return await session.Client.CreateExportAsync(request, key, cancellationToken: cancellationToken);
        }
        catch (RequestRejectedException e) when (e.Errors.ContainsKey("dataset"))
        {
            throw NoSuch(request.Dataset);
        }
        catch (OperationCanceledException)
        {
            session.Screen.Note(
                "Interrupted before the service had answered: it may have accepted the export. 'claimcheck list' shows it.");
            throw;
        }
        catch (ArgumentException e) when (key is not null)
        {
            throw new UsageException(e.Message.Split(" (Parameter ")[0]);
        }
    }

    private static NotFoundException NoSuch(string name) =>
        new($"The dataset '{name}' does not exist; 'claimcheck datasets' lists those that do.", null);
}
