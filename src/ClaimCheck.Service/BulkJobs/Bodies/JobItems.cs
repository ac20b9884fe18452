namespace ClaimCheck.Service.BulkJobs.Bodies;

/// <summary>The items of a job, in order. A position counts what the job itself applies, from 0; an index is the item's place in
/// the body that it came with. They differ in a retry alone, which takes some items of another job's body.</summary>
internal abstract class JobItems
{
    /// <summary>How many characters are held and sent at a time: one call to a target is limited by size, however many items that
    /// is.</summary>
    public const long MostAtOnce = 8 << 20;

    /// <summary>The number of items.</summary>
    public abstract Task<long> CountAsync(CancellationToken cancellationToken);

    /// <summary>All items from a position on.</summary>
    public abstract IAsyncEnumerable<JobItem> ReadAsync(long position, CancellationToken cancellationToken);

    /// <summary>Selected items, by index, in ascending order.</summary>
    public abstract IAsyncEnumerable<JobItem> PickAsync(IReadOnlyList<long> indexes, CancellationToken cancellationToken);

    /// <summary>Called between two chunks: throws where the items may no longer be applied.</summary>
    /// <exception cref="JobFailedException">They may not.</exception>
    public virtual Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>All items from a position on, in lists of one chunk: fewer items where they are large, unless the chunk must stay
    /// whole. Read again from a chunk's first item, the lists are the same.</summary>
    public async IAsyncEnumerable<IReadOnlyList<JobItem>> ChunksAsync(
        long position, int size, bool isWhole, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (chunk, length) = (new List<JobItem>(size), 0L);
        await foreach (var item in ReadAsync(position, cancellationToken))
        {
            chunk.Add(item);
            length += item.Length;
            if (chunk.Count < size && (isWhole || length < MostAtOnce))
                continue;
            yield return chunk;
            (chunk, length) = (new(size), 0);
        }

        if (chunk.Count > 0)
            yield return chunk;
    }
}
