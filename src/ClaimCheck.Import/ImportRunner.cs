using ClaimCheck.Import.Running;

namespace ClaimCheck.Import;

/// <summary>Imports files as options say: single files, or those that appear in a watched source.</summary>
internal sealed class ImportRunner : IDisposable
{
    private readonly ImportOptions options;
    private readonly EndpointClient client;
    private readonly LimitedContract limited;
    private readonly RunContext context;
    private readonly TimeProvider time;

    /// <exception cref="ImportException">The options are not valid.</exception>
    public ImportRunner(ImportOptions options, TimeProvider time, ILogger logger)
    {
        ImportOptionsCheck.Check(options);
        this.options = options;
        this.time = time;
        Runs = new ImportRuns(options.State ?? ImportRuns.DefaultState, time);
        client = new EndpointClient(options.Endpoint, options.Retry, EndpointKey.Of(options.Endpoint), time);
        ISendingContract contract = options.Endpoint.Contract == "bulk-jobs"
            ? new BulkJobContract(client, options.Endpoint, time)
            : new RecordContract(client);
        limited = new(contract, options.Parallelism);
        context = new(options, limited, new SeenContents(Runs.State), time, logger);
    }

    public ImportRuns Runs { get; }

    /// <summary>Imports a file, which stays where it is; continues an interrupted run of it, where there is one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="again">Import it even if the same content was imported before.</param>
    /// <param name="configuration">The file that the options came from, where retries find it again.</param>
    /// <param name="progress">Reported after each batch; from several threads.</param>
    /// <param name="cancellationToken">Interrupts it; it can be resumed.</param>
    /// <exception cref="ImportException">The file does not exist, is open for writing, or another process is importing
    /// it.</exception>
    /// <exception cref="IOException">The run's state can't be stored: the disk is full, for example. It can be
    /// resumed.</exception>
    public async Task<ImportRun> StartAsync(
        string path, bool again, string? configuration, Action<ImportRun> progress, CancellationToken cancellationToken)
    {
        path = Path.GetFullPath(path);
        ProveLocks();
        if (!File.Exists(path))
            throw new ImportException(ImportCodes.FileMissing, $"The file {path} does not exist.");
        await new RunRetention(Runs, context).SweepAsync(cancellationToken);
        foreach (var broken in await Runs.UnsettledAsync(context.Logger, cancellationToken))
        {
            if (broken.Origin != RunOrigin.File || broken.Source != path || broken.Name != options.Name)
                continue;
            var resumed = await ResumeAsync(broken.RunId, progress, cancellationToken);
            // The same path may have other content by now: then the old run has failed, and this is a new one.
            if (resumed.Failure?.Code != ImportCodes.FileChanged)
                return resumed;
        }
        if (Writers.Has(path) == true)
            throw new ImportException(
                ImportCodes.FileOpen, $"The file {path} is open for writing: import it once its writer has closed it.");
        var directory = Runs.DirectoryOf(ImportRuns.NewId());
        var run = NewRun(directory, Path.GetFileName(path), path, RunOrigin.File, path) with
        {
            Again = again,
            Configuration = configuration,
        };
        return (await BeginAsync(directory, run, NamedFile.Instance, progress, cancellationToken))!;
    }

    /// <summary>Continues an interrupted run, or finishes what is left to do after its end.</summary>
    /// <exception cref="ImportException">The run does not exist, it has ended, or another process works on it.</exception>
    public async Task<ImportRun> ResumeAsync(string runId, Action<ImportRun> progress, CancellationToken cancellationToken)
    {
        var (directory, _) = await Runs.FindAsync(runId, cancellationToken);
        using var held = await directory.TryLockAsync(cancellationToken)
            ?? throw new ImportException(ImportCodes.RunBusy, $"Another process works on run {runId}.");
        var run = (await directory.LoadAsync(cancellationToken))!;
        if (run.IsSettled)
            throw new ImportException(ImportCodes.RunEnded, $"Run {runId} is {run.State} already.");
        if (run.Name != options.Name)
            throw new ImportException(
                ImportCodes.InvalidConfiguration,
                $"Run {runId} is of the import {run.Name}, but the configuration is for {options.Name}.");
        using var source = Watched.Of(run, options, time);
        return await new RunProcessor(directory, run, context, progress).RunAsync(source.Source, cancellationToken)
            ?? throw new ImportException(ImportCodes.FileMissing, $"The file of run {runId} is gone; nothing of it was sent.");
    }

    /// <summary>Sends a run's rejects once more, as a run of its own, with the configuration as it is now.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="classes">Which failures: <see cref="RejectClass"/>.</param>
    /// <param name="configuration">The file that the options came from.</param>
    /// <param name="progress">Reported after each batch; from several threads.</param>
    /// <param name="cancellationToken">Interrupts it; the retry can be resumed.</param>
    /// <exception cref="ImportException">There is nothing to retry, or it was retried already.</exception>
    public async Task<ImportRun> RetryAsync(
        string runId, IReadOnlyCollection<string> classes, string? configuration, Action<ImportRun> progress,
        CancellationToken cancellationToken) =>
        await ResumeAsync(await PrepareRetryAsync(runId, classes, configuration, cancellationToken), progress, cancellationToken);

    /// <summary>Creates the run that <see cref="RetryAsync"/> would, without processing it.</summary>
    /// <returns>Its id, for <see cref="ResumeAsync"/>.</returns>
    /// <exception cref="ImportException">There is nothing to retry, or it was retried already.</exception>
    public Task<string> PrepareRetryAsync(
        string runId, IReadOnlyCollection<string> classes, string? configuration, CancellationToken cancellationToken) =>
        new RunRetry(Runs).PrepareAsync(
            runId,
            classes,
            (directory, parent) => NewRun(directory, parent.File, parent.RunId, RunOrigin.Rejects, directory.Copy) with
            {
                Format = RecordFile.Rejects,
                Configuration = configuration,
                RetryOf = parent.RunId,
            },
            cancellationToken);

    /// <summary>Imports what appears in the source, and continues interrupted runs.</summary>
    /// <param name="once">End when nothing is left to do.</param>
    /// <param name="again">Import contents that were imported before too.</param>
    /// <param name="configuration">The file that the options came from.</param>
    /// <param name="progress">Reported after each batch and at each end; from several threads.</param>
    /// <param name="cancellationToken">Interrupts it; all runs can be resumed.</param>
    /// <exception cref="ImportException">The options name no source that can be watched.</exception>
    public async Task WatchAsync(
        bool once, bool again, string? configuration, Action<ImportRun> progress, CancellationToken cancellationToken)
    {
        using var watched = Watched.Of(options, time);
        ProveLocks();
        await watched.Source.ProveAsync(cancellationToken);
        await new SourceWatcher(watched.Source, Runs, context, progress, NewRunOf).RunAsync(once, cancellationToken);

        RunDocument NewRunOf(RunDirectory directory, Arrival arrival) =>
            NewRun(
                directory, arrival.Name, arrival.Source, watched.Source.Origin, watched.Source.InputFor(arrival, directory)) with
            {
                Again = again,
                Configuration = configuration,
                Marker = arrival.Marker,
            };
    }

    public void Dispose()
    {
        client.Dispose();
        limited.Dispose();
    }

    // Keeps two processes from working on one run.
    private void ProveLocks()
    {
        Durable.CreatePrivateFolder(Runs.State);
        Durable.ProveLocks(Runs.State);
    }

    private async Task<ImportRun?> BeginAsync(
        RunDirectory directory, RunDocument run, IFileSource source, Action<ImportRun> progress,
        CancellationToken cancellationToken)
    {
        directory.Create();
        using var held = await directory.TryLockAsync(cancellationToken);
        await directory.SaveAsync(run);
        return await new RunProcessor(directory, run, context, progress).RunAsync(source, cancellationToken);
    }

    private RunDocument NewRun(RunDirectory directory, string file, string source, string origin, string input) => new()
    {
        RunId = directory.RunId,
        Name = options.Name,
        File = file,
        Source = source,
        Origin = origin,
        Input = input,
        State = RunState.Preparing,
        Limits = new RunLimits(options.Reading, options.Mapping, options.BatchSize, options.BatchBytes),
        StartedAt = time.GetUtcNow(),
    };
}
