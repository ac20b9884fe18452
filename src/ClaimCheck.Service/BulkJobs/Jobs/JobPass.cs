using ClaimCheck.Service.BulkJobs.Bodies;
using ClaimCheck.Service.BulkJobs.Targets;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>A worker's pass through a job, chunk by chunk: while the target applies one, the next is read and the results of the
/// last are written. The catalog is updated about once a second; in between, the notes in the target record what was
/// done.</summary>
internal sealed class JobPass(
    JobWork work, JobProgress progress, JobResultsWriter writer, BulkJobsOptions options, TimeProvider time) : IAsyncDisposable
{
    private const int MostUnsaved = 5000;
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(1);
    private readonly JobLease lease = work.Lease;
    private readonly JobItems items = work.Items;
    private readonly ChunkApplier applier = work.Applier;
    private readonly List<ItemFailure> unsaved = [];
    private JobResults? results;
    private Task writing = Task.CompletedTask;
    private long saved = time.GetTimestamp();
    private bool hasRetries;
    private long nextChunk = work.Lease.NextChunk; // first position of the first pass that is not applied

    /// <summary>The chunk that is applied next or now: a worker before or after this one may be working on it too.</summary>
    public (int Round, long Chunk) Next { get; private set; } = (0, work.Lease.NextChunk);

    public long Processed { get; private set; } = work.Lease.Processed;

    /// <summary>The results written during the pass; null where they do not cover the whole job.</summary>
    public JobResults? Results => hasRetries ? null : results;

    private bool IsByChunk => lease.Operation.Atomicity == Operation.PerChunk;

    /// <summary>Applies what is left.</summary>
    /// <param name="isCancelled">Asked before each chunk.</param>
    /// <param name="stopping">The worker is told to stop: takes effect between chunks.</param>
    /// <param name="token">The lease.</param>
    /// <returns>False where the job was cancelled before all of it was applied.</returns>
    public async Task<bool> RunAsync(Func<bool> isCancelled, CancellationToken stopping, CancellationToken token)
    {
        // From the start, the results can be written during the pass; otherwise they are written at the end.
        if (Processed == 0)
            results = await writer.OpenAsync(lease, token);
        await foreach (var chunk in AheadAsync(items.ChunksAsync(Processed, lease.Operation.Chunk, isWhole: IsByChunk, token)))
        {
            stopping.ThrowIfCancellationRequested();
            await items.CheckAsync(token);
            if (isCancelled() && await FenceAsync(token))
                return false;
            var failures = await applier.ApplyAsync(new(0, nextChunk, chunk), token);
            await NoteAsync(chunk, failures, token);
        }

        await SaveAsync(token);
        for (var round = 0; ;)
        {
            stopping.ThrowIfCancellationRequested();
            var (next, indexes) = await progress.NextRetriesAsync(lease, lease.Operation.Chunk, token);
            if (indexes.Count == 0 || next > options.Rounds || IsByChunk)
                return true;
            hasRetries = true;
            // Named after its first item: a worker that takes over forms the same chunk, since the catalog is unchanged.
            Next = (next, indexes[0]);
            if (next != round && !isCancelled())
                await DelayAsync(Backoff.After(next, options.Delay, options.LongestDelay), stopping, token);
            if (isCancelled() && await FenceAsync(token))
                return false;
            round = next;
            await RetryAsync(round, indexes, token);
        }
    }

    /// <summary>Prevents any other worker from applying the next chunk.</summary>
    /// <returns>False where it was applied already: then it must be counted.</returns>
    public Task<bool> FenceAsync(CancellationToken token) => applier.FenceAsync(Next.Round, Next.Chunk, token);

    /// <summary>Records the progress.</summary>
    /// <returns>How many items have failed.</returns>
    /// <exception cref="LeaseLostException">The lease is lost.</exception>
    public async Task<long> SaveAsync(CancellationToken token)
    {
        var failed = await CatalogErrors.Patient.ExecuteAsync(
            async t => await progress.SaveAsync(lease, nextChunk, Processed, unsaved, t), token);
        unsaved.Clear();
        saved = time.GetTimestamp();
        return failed ?? throw new LeaseLostException();
    }

    /// <summary>Waits for the writing of results. If it failed, the job fails.</summary>
    public Task SettleAsync() => writing;

    public async ValueTask DisposeAsync()
    {
        await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (results is not null)
            await results.DisposeAsync();
    }

    private async Task NoteAsync(IReadOnlyList<JobItem> chunk, IReadOnlyList<ItemFailure> failures, CancellationToken token)
    {
        Next = (0, ++nextChunk);
        Processed += chunk.Count;
        unsaved.AddRange(failures);
        hasRetries |= options.Rounds > 0 && lease.Operation.Atomicity == Operation.PerItem
            && failures.Any(failure => failure.IsTransient);
        if (results is not null)
        {
            await writing;
            writing =
                hasRetries ? Task.CompletedTask : Task.Run(async () => await results.AddAsync(chunk, failures, token), token);
        }

        if (lease.Operation.IsExactlyOnce && unsaved.Count < MostUnsaved && time.GetElapsedTime(saved) < SaveEvery)
            return;
        if (await SaveAsync(token) > options.MaxFailures)
            throw new JobFailedException(
                "too_many_failures", $"More than {options.MaxFailures} items fail. What was applied before is counted.");
    }

    private async Task RetryAsync(int round, IReadOnlyList<long> indexes, CancellationToken token)
    {
        var (again, length) = (new List<JobItem>(indexes.Count), 0L);
        await foreach (var item in items.PickAsync(indexes, token))
        {
            again.Add(item);
            length += item.Length;
            if (length >= JobItems.MostAtOnce)
                break;
        }

        var failures = await applier.ApplyAsync(new(round, indexes[0], again), token);
        var tried = indexes.Take(again.Count).ToList();
        if (!await CatalogErrors.Patient.ExecuteAsync(
            async t => await progress.SaveRoundAsync(lease, round, tried, failures, t), token))
            throw new LeaseLostException();
    }

    private async Task DelayAsync(TimeSpan delay, CancellationToken stopping, CancellationToken token)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, token);
        await Task.Delay(delay, time, either.Token);
    }

    // One chunk is read while the one before is applied.
    private static async IAsyncEnumerable<T> AheadAsync<T>(IAsyncEnumerable<T> source)
    {
        var reader = source.GetAsyncEnumerator();
        var next = reader.MoveNextAsync().AsTask();
        try
        {
            while (await next)
            {
                var current = reader.Current;
                next = Task.Run(async () => await reader.MoveNextAsync());
                yield return current;
            }
        }
        finally
        {
            // It can't be disposed while it reads.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await reader.DisposeAsync();
        }
    }
}
