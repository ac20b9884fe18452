namespace ClaimCheck.Service.Sources;

/// <summary>Entries of keys on disk, in partitions by their hash: equal ones are in one partition. One file, written
/// sequentially.</summary>
internal sealed class KeySpill(FileStream file, int level) : IDisposable
{
    public const int Portions = 64;

    private const int ChunkEntries = 1024;
    private const int ChunkBytes = ChunkEntries * KeyTable.EntryBytes;

    private readonly List<long>[] chunks = [.. Enumerable.Range(0, Portions).Select(_ => new List<long>())];
    private readonly byte[]?[] begun = new byte[Portions][];
    private readonly int[] filled = new int[Portions];
    private long length;

    public void Add(ReadOnlySpan<byte> entry)
    {
        var portion = (int)(KeyTable.Scatter(entry, level) >> 26); // 64 partitions
        var chunk = begun[portion] ??= new byte[ChunkBytes];
        entry.CopyTo(chunk.AsSpan(filled[portion]));
        filled[portion] += entry.Length;
        if (filled[portion] < ChunkBytes)
            return;
        RandomAccess.Write(file.SafeFileHandle, chunk, length);
        chunks[portion].Add(length);
        length += ChunkBytes;
        filled[portion] = 0;
    }

    /// <summary>Passes a partition's entries on, a chunk at a time, in the order in which they were written.</summary>
    public void Read(int portion, Action<ReadOnlyMemory<byte>> take, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var chunk = new byte[ChunkBytes];
        foreach (var offset in chunks[portion])
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadWhole(chunk, offset);
            take(chunk);
        }

        take(begun[portion].AsMemory(0, filled[portion]));
    }

    public void Dispose() => file.Dispose();

    private void ReadWhole(Span<byte> chunk, long offset)
    {
        while (!chunk.IsEmpty)
        {
            var count = RandomAccess.Read(file.SafeFileHandle, chunk, offset);
            if (count == 0)
                throw new EndOfStreamException();
            chunk = chunk[count..];
            offset += count;
        }
    }
}
