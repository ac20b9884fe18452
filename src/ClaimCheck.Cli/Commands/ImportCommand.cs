namespace ClaimCheck.Cli.Commands;

/// <summary>Imports: files that are split into batches and sent to an endpoint, and their runs.</summary>
internal static class ImportCommand
{
    private static readonly Option<string?> State = new("--state")
    {
        Description = "The directory where runs are kept; by default what the configuration says, else "
            + "~/.local/state/claimcheck/import.",
        HelpName = "DIR",
        Recursive = true,
    };

    public static Command Make()
    {
        var command = new Command(
            "import", "Sends the records of CSV and NDJSON files to an endpoint, in batches, and records the outcome of each.")
        {
            Start(), Resume(), Retry(), Status(), List(), Report(), Cancel(),
        };
        command.Options.Add(State);
        return command;
    }

    private static Command Start()
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "The file: .csv, .ndjson or .jsonl, and .gz of these. It stays where it is.",
            DefaultValueFactory = _ => null,
        };
        var config = new Option<string>("--config")
        {
            Description = "How records are mapped and where they are sent (JSON).",
            HelpName = "FILE",
            Required = true,
        };
        var watch = new Option<string?>("--watch")
        {
            Description = "In place of a file: a folder or s3://bucket/prefix that files appear in.",
            HelpName = "SOURCE",
        };
        var once = new Option<bool>("--once") { Description = "With --watch: end when nothing is left to do." };
        var again = new Option<bool>("--again") { Description = "Also import content that was imported before." };
        return new Command("start", "Imports a file, or whatever appears in a folder or bucket; continues interrupted runs.")
            .With(file, config, watch, once, again)
            .RunsHere(async (local, cancellationToken) =>
            {
                var path = Path.GetFullPath(local.Get(config)!);
                var options = await LoadAsync(local, path, cancellationToken);
                options.Source = local.Get(watch) ?? (local.Get(file) is null ? options.Source : null);
                if (local.Get(file) is not null == options.Source is not null)
                    throw new UsageException("Give a FILE, or --watch with a folder or s3://bucket/prefix, or neither where the "
                        + "configuration names a source.");
                using var runner = new ImportRunner(options, TimeProvider.System, new ScreenLogger(local.Screen));
                if (local.Get(file) is { } one)
                {
                    return await ImportWatch.ShowAsync(
                        local.Screen,
                        (show, token) => runner.StartAsync(one, local.Get(again), path, show, token),
                        cancellationToken);
                }
                return await ImportWatch.ShowAllAsync(
                    local.Screen,
                    (show, token) => runner.WatchAsync(local.Get(once), local.Get(again), path, show, token),
                    cancellationToken);
            });
    }

    private static Command Resume()
    {
        var (run, config) = (Run(), Config());
        return new Command("resume", "Continues an interrupted run.").With(run, config)
            .RunsHere(async (local, cancellationToken) =>
            {
                using var runner = await RunnerAsync(local, local.Get(run), local.Get(config), cancellationToken);
                return await ImportWatch.ShowAsync(
                    local.Screen, (show, token) => runner.Runner.ResumeAsync(local.Get(run), show, token), cancellationToken);
            });
    }

    private static Command Retry()
    {
        var (run, config) = (Run(), Config());
        var classes = new Option<string[]>("--class")
        {
            Description = "Which failures: transient (the default), terminal (the endpoint refused them), invalid (the "
                + "configuration was changed since); may be repeated.",
            HelpName = "CLASS",
        };
        classes.AcceptOnlyFromAmong(RejectClass.All);
        return new Command("retry", "Sends failures of a run once more, as a run of its own.").With(run, classes, config)
            .RunsHere(async (local, cancellationToken) =>
            {
                using var runner = await RunnerAsync(local, local.Get(run), local.Get(config), cancellationToken);
                var wanted = local.Get(classes) is { Length: > 0 } given ? given : [RejectClass.Transient];
                return await ImportWatch.ShowAsync(
                    local.Screen,
                    (show, token) => runner.Runner.RetryAsync(local.Get(run), wanted, runner.Configuration, show, token),
                    cancellationToken);
            });
    }

    private static Command Status()
    {
        var run = new Argument<string?>("RUN")
        {
            Description = "The run: imp_…; the newest by default.",
            DefaultValueFactory = _ => null,
        };
        return new Command("status", "Shows a run as it is now; exits 0 whatever its state.").With(run)
            .RunsHere(async (local, cancellationToken) =>
            {
                var runs = RunsOf(local);
                var shown = local.Get(run) is { } id
                    ? await runs.ShowAsync(id, cancellationToken)
                    : await runs.ListAsync(1, cancellationToken) is [var newest, ..]
                        ? newest
                        : throw new ImportException(ImportCodes.RunNotFound, $"{runs.State} has no runs.");
                local.Screen.Document(Redaction.ToJson(shown));
                ImportWatch.Facts(local.Screen, shown);
                return ExitCodes.Ok;
            });
    }

    private static Command List()
    {
        var limit = new Option<int>("--limit")
        {
            Description = "The largest number of runs; 100 by default.",
            HelpName = "N",
            DefaultValueFactory = _ => 100,
        };
        return new Command("list", "Lists runs, newest first.").With(limit).RunsHere(async (local, cancellationToken) =>
        {
            if (local.Get(limit) < 1)
                throw new UsageException($"--limit is {local.Get(limit)}, but must be at least 1.");
            var runs = await RunsOf(local).ListAsync(local.Get(limit), cancellationToken);
            local.Screen.Document(Redaction.ToJson(new { items = runs }));
            local.Screen.Table(
                ["RUN", "FILE", "STATE", "RECORDS", "SUCCEEDED", "FAILED", "INVALID", "STARTED"],
                [
                    .. runs.Select(run => new[]
                    {
                        run.RunId, run.File, ImportWatch.StateOf(run), Amounts.Count(run.Counts.Records ?? 0),
                        Amounts.Count(run.Counts.Succeeded),
                        Amounts.Count(run.Counts.Failed), Amounts.Count(run.Counts.Invalid), Amounts.Time(run.StartedAt)!,
                    }),
                ]);
            return ExitCodes.Ok;
        });
    }

    private static Command Report()
    {
        var run = Run();
        return new Command("report", "Sums up the outcomes of a run's records, with failures by cause.").With(run)
            .RunsHere(async (local, cancellationToken) =>
            {
                var report = await ImportReport.ReadAsync(RunsOf(local), local.Get(run), cancellationToken);
                local.Screen.Document(Redaction.ToJson(report));
                ImportWatch.Facts(local.Screen, report.Run);
                if (report.Failures.Count > 0)
                {
                    local.Screen.Table(
                        ["CLASS", "CODE", "RECORDS", "LINES"],
                        [.. report.Failures.Select(
                            kind => new[] { kind.Class, kind.Code, Amounts.Count(kind.Count), Lines(kind) })]);
                }
                return ExitCodes.Ok;
            });

        static string Lines(ImportFailures kind) => string.Join(" ", kind.Lines) + (kind.Count > kind.Lines.Count ? " …" : "");
    }

    private static Command Cancel()
    {
        var run = Run();
        return new Command("cancel", "Cancels a run: calls under way are finished, nothing more is sent.").With(run)
            .RunsHere(async (local, cancellationToken) =>
            {
                var cancelled = await RunsOf(local).CancelAsync(local.Get(run), cancellationToken);
                local.Screen.Document(Redaction.ToJson(cancelled));
                ImportWatch.Facts(local.Screen, cancelled);
                return ExitCodes.Ok;
            });
    }

    private static Argument<string> Run() => new("RUN") { Description = "The run: imp_…" };

    private static Option<string?> Config() => new("--config")
    {
        Description = "The configuration, if it differs from the one that the run was started with.",
        HelpName = "FILE",
    };

    private static ImportRuns RunsOf(Local local) => new(local.Get(State) ?? ImportRuns.DefaultState, TimeProvider.System);

    private static async Task<Configured> RunnerAsync(
        Local local, string runId, string? config, CancellationToken cancellationToken)
    {
        var (directory, run) = await RunsOf(local).FindAsync(runId, cancellationToken);
        var path = Path.GetFullPath(
            config ?? run.Configuration ?? throw new UsageException($"Give --config: run {runId} was not started with one."));
        var options = await LoadAsync(local, path, cancellationToken);
        options.State = Path.GetDirectoryName(Path.GetDirectoryName(directory.Path));
        return new(new ImportRunner(options, TimeProvider.System, new ScreenLogger(local.Screen)), path);
    }

    private static async Task<ImportOptions> LoadAsync(Local local, string path, CancellationToken cancellationToken)
    {
        var options = await ImportOptions.LoadAsync(path, cancellationToken);
        options.State = local.Get(State) ?? options.State;
        // A bulk job without an address is sent to the tool's own service.
        if (options.Endpoint is { Url: null, Contract: "bulk-jobs" })
        {
            var service = await ServiceAddress.FindAsync(local.Parsed, cancellationToken);
            (options.Endpoint.Url, options.Endpoint.Key) =
                (service.Url, options.Endpoint.KeyFile is null ? options.Endpoint.Key ?? service.Key : null);
        }
        return options;
    }

    private sealed record Configured(ImportRunner Runner, string Configuration) : IDisposable
    {
        public void Dispose() => Runner.Dispose();
    }
}
