using System.Runtime.CompilerServices;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>
/// The items of a job, in order. A position counts what the job itself applies, from 0; an index is the item's place in the body
/// that it came with. They differ in a retry alone, which takes some items of another job's body.
/// </summary>
internal abstract class JobItems
{
    /// <summary>How many there are.</summary>
    public abstract Task<long> CountAsync(CancellationToken cancellationToken);

    /// <summary>All from a position on.</summary>
    public abstract IAsyncEnumerable<JobItem> ReadAsync(long position, CancellationToken cancellationToken);

    /// <summary>Some, by index, in rising order.</summary>
    public abstract IAsyncEnumerable<JobItem> PickAsync(IReadOnlyList<long> indexes, CancellationToken cancellationToken);

    /// <summary>Between two chunks: whether they may still be applied.</summary>
    /// <exception cref="JobFailedException">They may not.</exception>
    public virtual Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>All from a position on, in lists of a chunk; the first is whole where the position is a chunk's first.</summary>
    public async IAsyncEnumerable<IReadOnlyList<JobItem>> ChunksAsync(long position, int size, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var chunk = new List<JobItem>(size);
        await foreach (var item in ReadAsync(position, cancellationToken))
        {
            chunk.Add(item);
            if (chunk.Count < size)
                continue;
            yield return chunk;
            chunk = new(size);
        }

        if (chunk.Count > 0)
            yield return chunk;
    }
}
