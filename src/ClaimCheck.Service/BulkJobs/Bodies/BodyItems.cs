using System.Buffers.Binary;

namespace ClaimCheck.Service.BulkJobs.Bodies;

/// <summary>Items that came as a body and were kept by <see cref="BodyWriter"/>. One block is read and held at a time.</summary>
internal sealed class BodyItems(Operation operation, JobBody body, IStaging staging) : JobItems
{
    private readonly int keyPlace = operation.KeyPlace;

    public override Task<long> CountAsync(CancellationToken cancellationToken) => Task.FromResult(body.Items);

    public override async IAsyncEnumerable<JobItem> ReadAsync(
        long position, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var block = BlockOf(position); block < Blocks && position < body.Items; block++)
        {
            foreach (var item in await BlockAsync(block, cancellationToken))
            {
                if (item.Index < position)
                    continue;
                yield return item;
                position = item.Index + 1;
            }
        }
    }

    public override async IAsyncEnumerable<JobItem> PickAsync(
        IReadOnlyList<long> indexes, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (current, items) = (-1, (IReadOnlyList<JobItem>)[]);
        foreach (var index in indexes)
        {
            var block = BlockOf(index);
            if (block != current)
                (current, items) = (block, await BlockAsync(block, cancellationToken));
            yield return items[(int)(index - FirstOf(block))];
        }
    }

    private int Blocks => body.Index.Length / 16;

    private long OffsetOf(int block) =>
        block == Blocks ? body.Bytes : BinaryPrimitives.ReadInt64BigEndian(body.Index.AsSpan(block * 16));

    private long FirstOf(int block) => BinaryPrimitives.ReadInt64BigEndian(body.Index.AsSpan((block * 16) + 8));

    private int BlockOf(long index)
    {
        var (low, high) = (0, Blocks - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (FirstOf(middle) <= index)
                low = middle;
            else
                high = middle - 1;
        }

        return Math.Max(low, 0);
    }

    private async Task<IReadOnlyList<JobItem>> BlockAsync(int block, CancellationToken cancellationToken)
    {
        var (offset, first) = (OffsetOf(block), FirstOf(block));
        var length = (int)(OffsetOf(block + 1) - offset);
        if (body.Inline is { } inline)
            return Parse(inline.AsSpan((int)offset, length), first);
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            await using var stream = await staging.OpenReadAsync(body.Key!, offset, length, cancellationToken);
            await ReadWholeAsync(stream, buffer.AsMemory(0, length), cancellationToken);
            return Parse(buffer.AsSpan(0, length), first);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task ReadWholeAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken) < buffer.Length)
            throw new StagingException("The body of a bulk job ended too early.", isTransient: true);
    }

    private List<JobItem> Parse(ReadOnlySpan<byte> lines, long first)
    {
        var items = new List<JobItem>();
        while (!lines.IsEmpty)
        {
            var end = lines.IndexOf((byte)'\n');
            if (end < 0)
                throw new StagingException("A block of a bulk job's body ends within an item.", isTransient: false);
            items.Add(BodyWriter.Read(first + items.Count, lines[..end], operation.Parameters.Count, keyPlace));
            lines = lines[(end + 1)..];
        }

        return items;
    }
}

/// <summary>Where a job's items are kept.</summary>
/// <param name="Inline">In the catalog; null where they are staged.</param>
/// <param name="Key">The object in staging.</param>
/// <param name="Index">See <see cref="BodyWriter.Index"/>.</param>
/// <param name="Bytes">Their length.</param>
/// <param name="Items">How many.</param>
internal sealed record JobBody(byte[]? Inline, string? Key, byte[] Index, long Bytes, long Items);
