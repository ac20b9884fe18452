namespace ClaimCheck.Service.Blocks;

/// <summary>A range of whole records. The receiver returns the buffer.</summary>
internal readonly record struct FilledBlock(byte[] Buffer, int Length, long Records)
{
    /// <summary>The turn of a record that needed a larger buffer, which ends when the block is stored; null for other
    /// blocks.</summary>
    public IDisposable? LargeTurn { get; init; }

    public ReadOnlySpan<byte> Bytes => Buffer.AsSpan(0, Length);
}

/// <summary>A record is larger than <see cref="BlockBuilder.LargestRecord"/>. Its writer knows which record it is, and reports
/// it.</summary>
internal sealed class BlockFullException() : Exception("A record is larger than the limit.");

/// <summary>A record needs a larger buffer, and has not been given its turn.</summary>
internal sealed class NoLargeTurnException() : Exception("A record needs a larger buffer.");

/// <summary>Collects bytes and cuts them into blocks at the ends of records: after the record that fills a block, or before one
/// that would make it more than twice as large as it should be. A record larger than that is a block of its own.</summary>
internal sealed class BlockBuilder
{
    /// <summary>The size of a block where files are large: 1 MiB, the contract's least, because about ten buffers of
    /// it are in use.</summary>
    public const int FullBlock = 1 << 20;

    /// <summary>More than is read or written at a time.</summary>
    public const int Slack = 256 << 10;

    /// <summary>The size in bytes, in the form that its source sends, from which a record waits for its turn.</summary>
    public const int LargeSource = 1 << 20;

    // How large a buffer grows at most: more than the largest record, and what is reserved behind it.
    private const int Longest = OversizedRecord.Largest + (16 << 20);

    private readonly BlockBuffers buffers;
    private readonly int target;
    private byte[] buffer = [];
    private int room;
    private int written;
    private int recordsEnd;
    private long records;

    public BlockBuilder(BlockBuffers buffers, int target)
    {
        this.buffers = buffers;
        this.target = target;
        Use(buffers.Rent(0));
    }

    /// <summary>Complete blocks, oldest first.</summary>
    public Queue<FilledBlock> Ready { get; } = new();

    /// <summary>How large a record may become here; a reservation beyond it and one more portion is refused.</summary>
    public int LargestRecord { get; init; } = OversizedRecord.Largest;

    /// <summary>Whether a record that needs a larger buffer waits for its turn.</summary>
    public bool HasLargeTurns { get; init; }

    /// <summary>The turn of such a record; null where it has none.</summary>
    public IDisposable? LargeTurn { get; set; }

    /// <summary>Whether a larger buffer may be used now.</summary>
    public bool MayGrow => !HasLargeTurns || LargeTurn is not null;

    /// <summary>How many bytes are worth reading at a time: small blocks, one after another, would take a buffer each.</summary>
    public int Portion => Math.Clamp(target, 16 << 10, 128 << 10);

    /// <summary>How many bytes were written since the last record's end.</summary>
    public int Open => written - recordsEnd;

    public ReadOnlySpan<byte> Written => buffer.AsSpan(0, written);

    /// <summary>A file should contain several blocks: it is closed before the block that would exceed its size.</summary>
    public static int TargetFor(long maxFileBytes) => (int)Math.Clamp(maxFileBytes / 4, 4 << 10, FullBlock);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Reserve(int atLeast)
    {
        if (room - written < atLeast)
            MakeRoom(atLeast);
        return buffer.AsSpan(written);
    }

    /// <summary>Makes room without waiting for a turn; earlier records become a block.</summary>
    /// <returns>False where the record needs a larger buffer and its turn.</returns>
    public bool TryReserve(int atLeast)
    {
        if (room - written < atLeast && recordsEnd > 0)
            Cut();
        if (room - written >= atLeast)
            return true;
        if (MayGrow)
            Grow(atLeast);
        return MayGrow;
    }

    public Memory<byte> ReserveMemory(int atLeast)
    {
        Reserve(atLeast);
        return buffer.AsMemory(written);
    }

    public void Advance(int count) => written += count;

    /// <summary>Removes what was written last, down to a length that was seen since the last record's end.</summary>
    public void Truncate(int length) => written = length;

    /// <summary>Removes what was written since the last record's end.</summary>
    public void DropOpen() => written = recordsEnd;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(byte value)
    {
        Reserve(1)[0] = value;
        written++;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        written += bytes.Length;
    }

    /// <summary>A record ends at <paramref name="end"/> of <see cref="Written"/>.</summary>
    /// <returns>By how much everything after it has moved to the front.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int EndRecord(int end)
    {
        var moved = 0;
        if (end > 2 * target && recordsEnd > 0)
            moved = Cut();
        recordsEnd = end - moved;
        records++;
        if (recordsEnd >= target)
            moved += Cut(LargeTurn);
        else
            LargeTurn?.Dispose(); // it became smaller than its source
        LargeTurn = null;
        return moved;
    }

    /// <summary>The rest becomes a block.</summary>
    /// <returns>By how much everything after it has moved to the front.</returns>
    public int Finish() => recordsEnd > 0 ? Cut() : 0;

    /// <summary>Ends the builder: its buffers and its turn are returned. Nothing may be written afterwards.</summary>
    public void Release()
    {
        LargeTurn?.Dispose();
        LargeTurn = null;
        while (Ready.TryDequeue(out var block))
        {
            buffers.Return(block.Buffer);
            block.LargeTurn?.Dispose();
        }

        buffers.Return(buffer);
        Use([]);
        (written, recordsEnd) = (0, 0);
    }

    private int Cut(IDisposable? largeTurn = null)
    {
        var cut = recordsEnd;
        var rest = buffer.AsSpan(cut, written - cut);
        var next = buffers.Rent(rest.Length);
        rest.CopyTo(next);
        Ready.Enqueue(new FilledBlock(buffer, cut, records) { LargeTurn = largeTurn });
        Use(next);
        written = rest.Length;
        recordsEnd = 0;
        records = 0;
        return cut;
    }

    private void MakeRoom(int atLeast)
    {
        if (!TryReserve(atLeast))
            throw new NoLargeTurnException();
    }

    private void Grow(int atLeast)
    {
        var needed = (long)written + atLeast;
        if (needed > LargestRecord + (long)Slack)
            throw new BlockFullException();
        var larger = buffers.Rent((int)Math.Min(Math.Max(needed, 2L * buffer.Length), Longest));
        Written.CopyTo(larger);
        buffers.Return(buffer);
        Use(larger);
    }

    private void Use(byte[] next) => (buffer, room) = (next, buffers.RoomOf(next));
}
