using ClaimCheck.Service.BulkJobs.Bodies;
using ClaimCheck.Service.BulkJobs.Targets;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>A job whose operation is atomic as a whole: one transaction of the target, with one note. A failure rolls all of it
/// back.</summary>
internal sealed class WholeJob(JobWork work, JobProgress progress, BulkJobsOptions options, TimeProvider time)
{
    private readonly JobLease lease = work.Lease;
    private readonly JobItems items = work.Items;
    private readonly ChunkApplier applier = work.Applier;

    /// <summary>Applies all items, or none.</summary>
    /// <returns>False where it was cancelled: nothing is applied.</returns>
    /// <exception cref="JobFailedException">An item fails, so that all do.</exception>
    public async Task<bool> RunAsync(Func<bool> isCancelled, CancellationToken stopping, CancellationToken token)
    {
        if (lease.Processed > 0)
            return true; // an earlier worker has recorded the commit
        var total = await items.CountAsync(token);
        if (total > options.MaxAtomicItems)
            throw new JobFailedException(
                "too_many_items",
                $"The job has {total} items, but one that is atomic as a whole has {options.MaxAtomicItems} at most.");
        IReadOnlyList<ItemFailure>? failures;
        for (var tries = 0; ; tries++)
        {
            try
            {
                failures = await applier.PersistAsync(
                    (target, t) => TryAsync(target, isCancelled, stopping, t), options.TargetPatience, token);
                break;
            }
            catch (GaveWayException) when (tries + 1 < options.Tries)
            {
                await Task.Delay(Backoff.After(tries + 1, options.Delay, options.LongestDelay), time, token);
            }
            catch (GaveWayException)
            {
                throw new JobFailedException(
                    "target_busy", "The job gave way to other work too often; nothing of it was applied.", isTransient: true);
            }
        }

        if (failures is null && await applier.FenceAsync(0, 0, token))
            return false;
        failures ??= []; // too late: another worker has just applied it
        var processed = failures.Count > 0 ? failures.Count : total;
        if (await CatalogErrors.Patient.ExecuteAsync(
            async t => await progress.SaveAsync(lease, 1, processed, failures, t), token) is null)
            throw new LeaseLostException();
        return failures.Count == 0
            ? true
            : throw new JobFailedException(
                "item_failed",
                $"{failures.Count} items fail, and the operation is atomic by job: nothing was applied.",
                failures.All(failure => failure.IsTransient));
    }

    /// <returns>The failures because of which all was rolled back; null where it was cancelled.</returns>
    private async Task<IReadOnlyList<ItemFailure>?> TryAsync(
        TargetSession target, Func<bool> isCancelled, CancellationToken stopping, CancellationToken token)
    {
        await using var transaction = await target.BeginAsync(token);
        if (lease.Operation.IsExactlyOnce && !await target.NoteAsync(0, 0, null, token))
        {
            await transaction.RollbackAsync(token);
            _ = await target.FindAsync(0, 0, token); // throws where it is void
            return [];
        }

        var chunkNumber = 0L;
        await foreach (var chunk in items.ChunksAsync(0, lease.Operation.Chunk, isWhole: false, token))
        {
            stopping.ThrowIfCancellationRequested();
            await items.CheckAsync(token);
            if (isCancelled())
                return null;
            if (await ApplyAsync(target, transaction, new(0, chunkNumber++, chunk), token) is { Count: > 0 } failures)
                return failures;
        }

        await transaction.CommitAsync(token);
        return [];
    }

    private static async Task<IReadOnlyList<ItemFailure>> ApplyAsync(
        TargetSession target, NpgsqlTransaction transaction, JobChunk chunk, CancellationToken token)
    {
        if (chunk.Items.Any(item => item.Values is null))
            return [.. chunk.Items.Where(item => item.Values is null).Select(TargetErrors.Invalid)];
        await transaction.SaveAsync("claimcheck", token);
        try
        {
            await target.ApplyAsync(chunk, isStrict: true, isNoted: false, token);
            await transaction.ReleaseAsync("claimcheck", token);
            return [];
        }
        catch (PostgresException e) when (TargetErrors.Classify(e) == TargetTrouble.GaveWay)
        {
            throw new GaveWayException();
        }
        catch (PostgresException e)
            when (TargetErrors.Classify(e) is TargetTrouble.Items or TargetTrouble.Definition || TargetErrors.IsOutOfMemory(e))
        {
            await transaction.RollbackAsync("claimcheck", token);
        }

        var sifted = (await target.SiftAsync(chunk, isNoted: false, isProven: chunk.Number > 0, token))!;
        var failures = sifted.NotFound.Select(place => TargetErrors.NotFound(chunk.Items[place]))
            .Concat(sifted.Failed.Select((place, i) => TargetErrors.Explain(
                chunk.Items[place], sifted.States[i], sifted.Names[i], sifted.Failed.Length < chunk.Items.Count)));
        return [.. failures.OrderBy(failure => failure.Index)];
    }

    private sealed class GaveWayException : Exception;
}
