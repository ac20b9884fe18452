namespace ClaimCheck.Import.Running;

/// <summary>Takes one run from its present state to its end. The caller holds the run's lock.</summary>
internal sealed partial class RunProcessor(
    RunDirectory directory, RunDocument document, RunContext context, Action<ImportRun> progress)
{
    private static readonly TimeSpan CancelPoll = TimeSpan.FromMilliseconds(500);

    private JournalHistory history = new();
    private RunDocument run = document;
    private FileWatch? watch;

    /// <param name="source">Where the file comes from, and is moved in the end.</param>
    /// <param name="cancellationToken">Interrupts it in its present state; it can be resumed.</param>
    /// <returns>How it ended; null where another process has taken the file.</returns>
    public async Task<ImportRun?> RunAsync(IFileSource source, CancellationToken cancellationToken)
    {
        history = await JournalHistory.ReadAsync(directory.Journal, cancellationToken);
        if (!RunState.IsEnd(run.State))
        {
            try
            {
                if (run.State == RunState.Preparing && !await source.TakeAsync(run, directory, cancellationToken))
                {
                    Directory.Delete(directory.Path, recursive: true);
                    return null;
                }
                await ImportAsync(cancellationToken);
            }
            catch (ImportException e)
            {
                await EndAsync(RunState.Failed, new(e.Code, e.Message));
                Log.Failed(context.Logger, run.RunId, e.Code, e.Message);
            }
        }
        if (!run.IsSettled)
        {
            await source.SettleAsync(run, View(isActive: false), directory, cancellationToken);
            run = run with { IsSettled = true };
            await directory.SaveAsync(run);
        }
        return View(isActive: false);
    }

    private async Task ImportAsync(CancellationToken cancellationToken)
    {
        var isChecked = run.State == RunState.Preparing;
        if (isChecked)
            await PrepareAsync(cancellationToken);
        progress(View(isActive: true));
        await using var journal = Journal.Open(directory, history);
        // The file is compared with what is known of it before each pass, and once more when all is sent: only then is it known
        // to be complete.
        while (true)
        {
            if (!isChecked)
                await CheckAsync(cancellationToken);
            var isDone = history.Tally.Ended >= run.Records;
            if (isDone && !isChecked)
                break;
            isChecked = false;
            if (isDone)
                continue;
            if (!await PassAsync(journal, cancellationToken))
                throw Changed();
            if (IsCancelled && history.Tally.Ended < run.Records)
                break;
            await PauseAsync(cancellationToken);
        }
        var isCancelled = history.Tally.Ended < run.Records;
        await EndAsync(isCancelled ? RunState.Cancelled : RunState.Completed, null);
        var tally = history.Tally;
        Log.Ended(context.Logger, run.RunId, run.State, tally.Succeeded, tally.Failed, tally.Invalid);
    }

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var (recognised, found) = await LookThroughAsync(cancellationToken);
        run = run with { Sha256 = found.Sha256 };
        await NoteContentAsync(found.Sha256, cancellationToken);
        run = run with
        {
            State = RunState.Running,
            Format = recognised.Format,
            IsGzip = recognised.IsGzip,
            Bytes = found.Bytes,
            Records = found.Records,
            EndsOpen = found.EndsOpen,
        };
        await directory.SaveAsync(run);
        Log.Begun(context.Logger, run.RunId, found.Records);
    }

    // What looks damaged may only be unfinished.
    private async Task<(RecordFile File, Inspection Found)> LookThroughAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var path = Existing();
            var before = FileWatch.Stamp(path);
            try
            {
                var file = run.Format is null
                    ? await RecordFile.RecogniseAsync(path, run.File, run.Limits.Reading.Format, cancellationToken)
                    : new RecordFile(path, run.Format, run.IsGzip);
                return (file, await Inspection.OfAsync(file, run.Limits.Reading, run.Limits.Mapping, cancellationToken));
            }
            catch (ImportException e) when (!IsCancelled && FileWatch.IsWritten(path, before))
            {
                Log.Unfinished(context.Logger, run.RunId, e.Code);
                await Watch.UntilAtRestAsync(path, cancellationToken);
            }
        }
    }

    private async Task NoteContentAsync(string sha256, CancellationToken cancellationToken)
    {
        if (run.Origin == RunOrigin.Rejects || await context.Seen.NoteAsync(run, sha256, cancellationToken) is not { } other)
            return;
        throw new ImportException(
            ImportCodes.AlreadyImported,
            other.File is null
                ? $"The same content was imported by run {other.RunId}, which was {other.State} and has been deleted since."
                : $"The same content was imported as {other.File} by run {other.RunId}, which is {other.State}.");
    }

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        var path = Existing();
        if (history.Tally.Read + 1 >= run.Records)
            await Watch.UntilClosedAsync(path, cancellationToken);
        switch (await Inspection.CompareAsync(path, run.Bytes!.Value, run.Sha256!, cancellationToken))
        {
            case FileChange.Other:
                throw Changed();
            case FileChange.Grown:
                await GoOnAsync(path, cancellationToken);
                break;
        }
    }

    // What was read is unchanged, so that what was sent of it stays valid; the run continues with the new records.
    private async Task GoOnAsync(string path, CancellationToken cancellationToken)
    {
        if (run.EndsOpen != false && run.Records > 0 && history.Tally.Read >= run.Records)
        {
            throw new ImportException(
                ImportCodes.FileChanged,
                $"The file {run.File} has grown behind its last record, which had no line end and was sent as it was then. All "
                + $"{run.Records} records that there were are sent; what came later is not.");
        }
        await Watch.UntilAtRestAsync(path, cancellationToken);
        Inspection found;
        try
        {
            found = await Inspection.OfAsync(
                new RecordFile(path, run.Format!, run.IsGzip), run.Limits.Reading, run.Limits.Mapping, cancellationToken);
        }
        catch (ImportException e)
        {
            throw new ImportException(
                ImportCodes.FileChanged,
                $"The file {run.File} has grown since {history.Tally.Read} of its records were taken, and can't be "
                + $"read: {e.Message}",
                e);
        }
        if (await Inspection.CompareAsync(path, run.Bytes!.Value, run.Sha256!, cancellationToken) == FileChange.Other)
            throw Changed();
        await NoteContentAsync(found.Sha256, cancellationToken);
        var before = run.Records;
        run = run with { Sha256 = found.Sha256, Bytes = found.Bytes, Records = found.Records, EndsOpen = found.EndsOpen };
        await directory.SaveAsync(run);
        Log.Grown(context.Logger, run.RunId, before, run.Records);
    }

    private async Task<bool> PassAsync(Journal journal, CancellationToken cancellationToken)
    {
        var pass = new Pass(run, context, journal, history, () => progress(View(isActive: true)));
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = WatchForCancelAsync(pass, ended.Token);
        try
        {
            return await pass.RunAsync(cancellationToken);
        }
        finally
        {
            await ended.CancelAsync();
            await watching;
        }
    }

    private FileWatch Watch =>
        watch ??= new(context.Options.Arrival.Settle, context.Time, context.Logger, run.RunId, () => IsCancelled);

    // Another process has requested it, by a file.
    private bool IsCancelled => File.Exists(directory.Cancel);

    private async Task WatchForCancelAsync(Pass pass, CancellationToken cancellationToken)
    {
        try
        {
            while (!IsCancelled)
                await Task.Delay(CancelPoll, context.Time, cancellationToken);
            pass.Stop();
        }
        catch (OperationCanceledException)
        {
            // The pass has ended.
        }
    }

    private async Task PauseAsync(CancellationToken cancellationToken)
    {
        progress(View(isActive: true));
        while (history.NextDue is { } due && !IsCancelled)
        {
            var pause = DateTimeOffset.FromUnixTimeMilliseconds(due) - context.Time.GetUtcNow();
            if (pause <= TimeSpan.Zero)
                return;
            await Task.Delay(pause < CancelPoll ? pause : CancelPoll, context.Time, cancellationToken);
        }
    }

    private async Task EndAsync(string state, RunFailure? failure)
    {
        run = run with { State = state, Failure = failure, EndedAt = context.Time.GetUtcNow() };
        await directory.SaveAsync(run);
    }

    private string Existing()
    {
        if (File.Exists(run.Input))
            return run.Input;
        var text = $"The file of run {run.RunId} is not where it was: {run.Input}";
        // An interrupted run can be continued once the file is back.
        throw run.State == RunState.Preparing ? new ImportException(ImportCodes.FileMissing, text) : new IOException(text);
    }

    private ImportException Changed() => new(
        ImportCodes.FileChanged,
        $"The file {run.File} has changed since the run began; records that were sent before stay sent.");

    private ImportRun View(bool isActive) => new(run, directory, history, isActive, context.Time);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Import {RunId} begins: {Records} records.")]
        public static partial void Begun(ILogger logger, string runId, long records);

        [LoggerMessage(LogLevel.Information,
            "The file of import {RunId} looks damaged ({Code}), but is still being written: the import waits.")]
        public static partial void Unfinished(ILogger logger, string runId, string code);

        [LoggerMessage(LogLevel.Warning, "The file of import {RunId} was not complete when it was taken: it has grown from "
            + "{Before} to {Records} records, and the run continues with them.")]
        public static partial void Grown(ILogger logger, string runId, long? before, long? records);

        [LoggerMessage(LogLevel.Information,
            "Import {RunId} is {State}: {Succeeded} records succeeded, {Failed} failed, {Invalid} were invalid.")]
        public static partial void Ended(ILogger logger, string runId, string state, long succeeded, long failed, long invalid);

        [LoggerMessage(LogLevel.Warning, "Import {RunId} has failed ({Code}). {Reason}")]
        public static partial void Failed(ILogger logger, string runId, string code, string reason);
    }
}
