using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace ClaimCheck.Service.Blocks;

/// <summary>The memory that blocks take in a process. Its exports share buffers of one size, compress and store a limited number
/// of blocks at a time, and hold one record at a time that needs a larger buffer.</summary>
/// <param name="fill">How many bytes of records such a buffer takes.</param>
[SuppressMessage(
    "Design", "CA1001", Justification = "A SemaphoreSlim has nothing to dispose of unless its wait handle is asked for.")]
internal sealed class BlockBuffers(int fill = BlockBuffers.Fill)
{
    // A block is cut before the record that makes it larger than two mebibytes, and at the end of each portion that was read.
    private const int Fill = (2 * BlockBuilder.FullBlock) + BlockBuilder.Slack;

    // As many as two exports with two connections each use. More are left to the garbage collector.
    private const int Kept = 16;

    // One for each core to compress, and one to store: more cores than that find a connection or a disk too slow.
    private static readonly int AtOnce = Math.Min(Environment.ProcessorCount, 8) + 1;

    private readonly ConcurrentBag<byte[]> idle = [];
    private readonly SemaphoreSlim blocks = new(AtOnce);
    private readonly SemaphoreSlim large = new(1);
    private int kept;
    private int made;
    private int largeNow;
    private int largeMost;

    /// <summary>How many buffers of the usual size were made so far.</summary>
    public int Made => Volatile.Read(ref made);

    /// <summary>How many larger ones were in use at the same time, at most.</summary>
    public int LargeMost => Volatile.Read(ref largeMost);

    /// <summary>How many blocks are compressed and stored at a time.</summary>
    public static int BlocksAtOnce => AtOnce;

    private int Size { get; } = BlockCompressor.Bound(fill);

    /// <summary>How many bytes of records a buffer takes: what one of the usual size takes fits into another one when it is
    /// compressed.</summary>
    public int RoomOf(byte[] buffer) => buffer.Length == Size ? fill : buffer.Length;

    public byte[] Rent(int atLeast)
    {
        if (atLeast > Size)
        {
            CountLarge();
            return GC.AllocateUninitializedArray<byte>(atLeast);
        }

        if (idle.TryTake(out var buffer))
        {
            Interlocked.Decrement(ref kept);
            return buffer;
        }

        Interlocked.Increment(ref made);
        return GC.AllocateUninitializedArray<byte>(Size);
    }

    public void Return(byte[] buffer)
    {
        if (buffer.Length > Size)
            Interlocked.Decrement(ref largeNow);
        else if (buffer.Length == Size && Interlocked.Increment(ref kept) <= Kept)
            idle.Add(buffer);
        else if (buffer.Length == Size)
            Interlocked.Decrement(ref kept);
    }

    /// <summary>Waits until one more block may be compressed and stored. <see cref="EndBlock"/> follows.</summary>
    public Task BeginBlockAsync(CancellationToken cancellationToken) => blocks.WaitAsync(cancellationToken);

    public void EndBlock() => blocks.Release();

    /// <summary>Waits for the turn of a record that needs a larger buffer: until the one before it is stored.</summary>
    /// <returns>Disposed when the record's block is stored, or will not be.</returns>
    public async Task<IDisposable> LargeTurnAsync(CancellationToken cancellationToken)
    {
        await large.WaitAsync(cancellationToken);
        return new Turn(large);
    }

    private void CountLarge()
    {
        var now = Interlocked.Increment(ref largeNow);
        for (var most = LargeMost; now > most;)
            most = Interlocked.CompareExchange(ref largeMost, now, most);
    }

    private sealed class Turn(SemaphoreSlim taken) : IDisposable
    {
        private SemaphoreSlim? taken = taken;

        public void Dispose() => Interlocked.Exchange(ref taken, null)?.Release();
    }
}
