namespace ClaimCheck.Service.BulkJobs.Targets;

/// <summary>Applies chunks to a target until each item has an outcome: as a whole; in groups, where items fail; again, where the
/// target gave way or was unreachable. A chunk whose commit is in doubt is found noted when it is tried again.</summary>
internal sealed partial class ChunkApplier(
    SourceDatabases databases, JobLease lease, BulkJobsOptions options, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan FencePatience = TimeSpan.FromSeconds(10);
    private readonly Operation operation = lease.Operation;
    private TargetSession? session;
    private bool hasPassed;

    /// <returns>The failures, in order.</returns>
    /// <exception cref="JobFailedException">Every item would fail, or the target stayed unreachable.</exception>
    public async Task<IReadOnlyList<ItemFailure>> ApplyAsync(JobChunk chunk, CancellationToken cancellationToken)
    {
        var isByChunk = operation.Atomicity == Operation.PerChunk && chunk.Round == 0;
        var invalid = chunk.Items.Where(item => item.Values is null).ToList();
        if (invalid.Count > 0 && isByChunk)
            return Failures(chunk, [.. invalid.Select(TargetErrors.Invalid)], isByChunk: true);
        var valid = invalid.Count == 0 ? chunk : chunk with { Items = [.. chunk.Items.Where(item => item.Values is not null)] };
        if (valid.Items.Count == 0)
            return [.. invalid.Select(TargetErrors.Invalid)];
        var outcome = await PersistAsync(
            (target, token) => isByChunk ? WholeAsync(target, valid, token) : EachAsync(target, valid, token),
            options.TargetPatience,
            cancellationToken);
        var isProven = outcome.Failed.Length < valid.Items.Count;
        hasPassed |= isProven;
        var failures = new List<ItemFailure>(invalid.Select(TargetErrors.Invalid));
        failures.AddRange(outcome.NotFound.Select(place => TargetErrors.NotFound(valid.Items[place])));
        failures.AddRange(outcome.Failed.Select(
            (place, i) => TargetErrors.Explain(valid.Items[place], outcome.States[i], outcome.Names[i], isProven)));
        return Failures(chunk, failures, isByChunk);
    }

    /// <summary>Makes sure that a chunk can never be applied: a worker that was paused may be about to apply
    /// it.</summary>
    /// <returns>False where it was applied already. True again for a chunk that was fenced before.</returns>
    public async Task<bool> FenceAsync(int round, long chunk, CancellationToken cancellationToken)
    {
        if (!operation.IsExactlyOnce)
            return true;
        try
        {
            return await PersistAsync((target, token) => target.VoidAsync(round, chunk, token), FencePatience, cancellationToken);
        }
        catch (JobFailedException e)
        {
            Log.NotFenced(logger, lease.JobId, e.Code);
            return true;
        }
    }

    /// <summary>Runs what needs a session, opening a new one where the old one broke.</summary>
    public async Task<T> PersistAsync<T>(
        Func<TargetSession, CancellationToken, Task<T>> action, TimeSpan patience, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        for (var tries = 0; ; tries++)
        {
            string reason;
            try
            {
                session ??= await TargetSession.OpenAsync(
                    databases.GetForWriting(operation.Target), lease, options, cancellationToken);
                return await action(session, cancellationToken);
            }
            catch (Exception e) when (TargetErrors.IsTargetError(e) && !cancellationToken.IsCancellationRequested)
            {
                await CloseAsync();
                reason = DatabaseFailure.Of(e).Text;
                switch (TargetErrors.Classify(e))
                {
                    case TargetTrouble.Definition or TargetTrouble.Items:
                        throw new JobFailedException(
                            "operation_refused", $"The target {operation.Target} refuses the operation: {reason}");
                    case TargetTrouble.TookTooLong:
                        throw new JobFailedException(
                            "target_timeout",
                            $"A chunk took longer than {options.StatementTimeout}: the operation's chunk is too large, or its "
                            + $"statement too slow. {reason}",
                            isTransient: true);
                }
            }
            catch (SourceException e)
            {
                reason = e.Message;
            }

            if (time.GetElapsedTime(began) >= patience)
                throw new JobFailedException("target_unavailable",
                    $"The target {operation.Target} was unreachable for {patience}. {reason}", isTransient: true);
            var delay = Backoff.After(tries + 1, options.Delay, options.LongestDelay);
            Log.Away(logger, lease.JobId, operation.Target, reason, delay);
            await Task.Delay(delay, time, cancellationToken);
        }
    }

    public ValueTask DisposeAsync() => CloseAsync();

    // Each item by itself: good ones take effect.
    private async Task<ChunkOutcome> EachAsync(TargetSession target, JobChunk chunk, CancellationToken cancellationToken)
    {
        var (outcome, failed) = await TryAsync(
            chunk, () => target.ApplyAsync(chunk, isStrict: false, isNoted: true, cancellationToken), cancellationToken);
        if (failed)
            outcome = await target.SiftAsync(chunk, isNoted: true, hasPassed, cancellationToken);
        return outcome ?? await NotedAsync(target, chunk, cancellationToken);
    }

    // All or none: the failures are found in a transaction that is rolled back.
    private async Task<ChunkOutcome> WholeAsync(TargetSession target, JobChunk chunk, CancellationToken cancellationToken)
    {
        var (outcome, failed) = await TryAsync(
            chunk, () => target.ApplyAsync(chunk, isStrict: true, isNoted: true, cancellationToken), cancellationToken);
        if (!failed)
            return outcome ?? await NotedAsync(target, chunk, cancellationToken);
        ChunkOutcome? sifted;
        await using (var transaction = await target.BeginAsync(cancellationToken))
        {
            sifted = await target.SiftAsync(chunk, isNoted: true, hasPassed, cancellationToken);
            if (sifted is { IsClean: true })
                await transaction.CommitAsync(cancellationToken); // the blocking transaction has ended
            else
                await transaction.RollbackAsync(cancellationToken);
        }

        if (sifted is { IsClean: false } && await target.NoteAsync(chunk.Round, chunk.Number, sifted, cancellationToken))
            return sifted;
        return sifted is { IsClean: true } ? sifted : await NotedAsync(target, chunk, cancellationToken);
    }

    // The first pass, repeated where it gave way to others.
    private async Task<(ChunkOutcome? Outcome, bool Failed)> TryAsync(
        JobChunk chunk, Func<Task<ChunkOutcome?>> apply, CancellationToken cancellationToken)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return (await apply(), false);
            }
            catch (Npgsql.PostgresException e) when (TargetErrors.Classify(e) is TargetTrouble.Items or TargetTrouble.Definition
                || TargetErrors.IsOutOfMemory(e))
            {
                return (null, true);
            }
            catch (Npgsql.PostgresException e) when (TargetErrors.Classify(e) == TargetTrouble.GaveWay)
            {
                if (tries + 1 >= Math.Min(options.Tries, 2)
                    && (operation.Atomicity == Operation.PerItem || tries + 1 >= options.Tries))
                    return (null, true);
                var delay = Backoff.After(tries + 1, options.Delay, options.LongestDelay);
                Log.GaveWay(logger, lease.JobId, chunk.Number, e.SqlState, delay);
                await Task.Delay(delay, time, cancellationToken);
            }
        }
    }

    private static async Task<ChunkOutcome> NotedAsync(
        TargetSession target, JobChunk chunk, CancellationToken cancellationToken) =>
        await target.FindAsync(chunk.Round, chunk.Number, cancellationToken)
        ?? throw new InvalidOperationException("A chunk was noted, but its note is gone.");

    // Where atomicity is chunk, one failure fails all items.
    private static IReadOnlyList<ItemFailure> Failures(JobChunk chunk, List<ItemFailure> failures, bool isByChunk)
    {
        if (failures.Count == 0)
            return failures;
        if (isByChunk)
        {
            var known = failures.Select(failure => failure.Index).ToHashSet();
            var isTransient = failures.TrueForAll(failure => failure.IsTransient);
            failures.AddRange(chunk.Items.Where(item => !known.Contains(item.Index))
                .Select(item => TargetErrors.OfItsChunk(item, isTransient)));
        }

        failures.Sort((left, right) => left.Index.CompareTo(right.Index));
        return failures;
    }

    private async ValueTask CloseAsync()
    {
        if (session is { } open)
            await open.DisposeAsync();
        session = null;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Job {JobId} waits for its target {Target}; the next try is in {Delay}. {Reason}")]
        public static partial void Away(ILogger logger, Contracts.JobId jobId, string target, string reason, TimeSpan delay);

        [LoggerMessage(
            LogLevel.Information, "Chunk {Chunk} of job {JobId} gave way to other work ({State}); the next try is in {Delay}.")]
        public static partial void GaveWay(ILogger logger, Contracts.JobId jobId, long chunk, string state, TimeSpan delay);

        [LoggerMessage(LogLevel.Warning, "Job {JobId} ends without a fence in its target ({Reason}).")]
        public static partial void NotFenced(ILogger logger, Contracts.JobId jobId, string reason);
    }
}
