using System.Buffers.Binary;

namespace ClaimCheck.Service.Sources;

/// <summary>Keys as entries of one length: up to 39 bytes as they are, behind their length; of longer ones the SHA-256. So two
/// entries are equal exactly where the keys are: two long keys with one digest are as unlikely as two files of a manifest with
/// one.</summary>
internal sealed class KeyTable(int capacity)
{
    /// <summary>The record's position, and the key.</summary>
    public const int EntryBytes = PlaceBytes + FormBytes;

    /// <summary>The memory that an entry takes: itself, and its slots.</summary>
    public const int BytesOfEach = EntryBytes + (4 * sizeof(int));

    private const int PlaceBytes = sizeof(long);
    private const int FormBytes = 40;
    private const byte IsDigest = 0xFF;

    private byte[] entries = new byte[Math.Min(capacity, 1024) * EntryBytes];
    private int[] slots = new int[SlotsFor(Math.Min(capacity, 1024))];

    public int Count { get; private set; }

    public bool IsFull => Count == capacity;

    public ReadOnlySpan<byte> this[int index] => entries.AsSpan(index * EntryBytes, EntryBytes);

    public void Clear()
    {
        Count = 0;
        Array.Clear(slots);
    }

    /// <summary>Writes the entry of a key.</summary>
    public static void Write(Span<byte> entry, ReadOnlySpan<byte> key, long place)
    {
        BinaryPrimitives.WriteInt64LittleEndian(entry, place);
        var form = entry[PlaceBytes..];
        form.Clear();
        if (key.Length < FormBytes)
        {
            form[0] = (byte)key.Length;
            key.CopyTo(form[1..]);
        }
        else
        {
            form[0] = IsDigest;
            SHA256.HashData(key, form[1..]);
        }
    }

    /// <summary>The record's position.</summary>
    public static long PlaceOf(ReadOnlySpan<byte> entry) => BinaryPrimitives.ReadInt64LittleEndian(entry);

    /// <summary>Hashes entries: by other bits on each level, so that entries of one partition are spread on the next
    /// level.</summary>
    public static uint Scatter(ReadOnlySpan<byte> entry, int level)
    {
        // Seeded in each process: nobody can choose keys that collide.
        var hash = default(HashCode);
        hash.Add(level);
        hash.AddBytes(entry[PlaceBytes..]);
        return (uint)hash.ToHashCode();
    }

    /// <summary>Adds an entry to a table that is not full.</summary>
    /// <returns>The position of the record that has the key already; 0 where none has.</returns>
    public long Add(ReadOnlySpan<byte> entry)
    {
        if ((Count + 1) * EntryBytes > entries.Length)
            Grow();
        var slot = FindSlot(entry);
        if (slots[slot] != 0)
            return PlaceOf(this[slots[slot] - 1]);
        entry.CopyTo(entries.AsSpan(Count * EntryBytes));
        slots[slot] = ++Count;
        return 0;
    }

    // The slot of the same key, or the empty slot where it belongs.
    private int FindSlot(ReadOnlySpan<byte> entry)
    {
        var mask = slots.Length - 1;
        var slot = (int)(Scatter(entry, -1) & (uint)mask);
        while (slots[slot] != 0 && !this[slots[slot] - 1][PlaceBytes..].SequenceEqual(entry[PlaceBytes..]))
            slot = (slot + 1) & mask;
        return slot;
    }

    private void Grow()
    {
        var room = (int)Math.Min(capacity, entries.Length / EntryBytes * 2L);
        Array.Resize(ref entries, room * EntryBytes);
        slots = new int[SlotsFor(room)];
        for (var i = 0; i < Count; i++)
            slots[FindSlot(this[i])] = i + 1;
    }

    // A power of two, at least twice as many as entries: probes stay short.
    private static int SlotsFor(int count) => (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count * 2);
}
