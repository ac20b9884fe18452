namespace ClaimCheck.Service.Sources;

/// <summary>Checks that all keys of an export differ: exactly, in bounded memory, in any order. While they fit they are in one
/// table, and the first duplicate is found at once. When they no longer fit, all go to disk, partitioned by a hash, and are
/// compared partition by partition after the last one; a partition that is too large is split again in the same way.</summary>
internal sealed class DistinctKeys : IDisposable
{
    public const string NotUniqueCode = "key_not_unique";

    private readonly KeySpace space;
    private readonly KeyTable table;
    private readonly int level;
    private readonly byte[] entry = new byte[KeyTable.EntryBytes];
    private KeySpill? spill;

    public DistinctKeys(KeySpace space)
        : this(space, new KeyTable(space.Capacity), level: 0)
    {
    }

    private DistinctKeys(KeySpace space, KeyTable table, int level)
    {
        (this.space, this.table, this.level) = (space, table, level);
        table.Clear();
    }

    /// <summary>True where they did not fit into memory.</summary>
    public bool IsSpilled => spill is not null;

    /// <param name="key">As the format writes it; equal ones are written alike.</param>
    /// <param name="record">Its record's position, from 1.</param>
    /// <exception cref="SourceException">Another record has it; or the disk is full.</exception>
    public void Add(ReadOnlySpan<byte> key, long record)
    {
        KeyTable.Write(entry, key, record);
        try
        {
            Take(entry);
        }
        catch (Exception e) when (KeySpace.IsRefusal(e))
        {
            throw KeySpace.Explain(e);
        }
    }

    /// <summary>Ends the check after the last key.</summary>
    /// <exception cref="SourceException">Two records have the same key; or writing to disk failed.</exception>
    public void Finish(CancellationToken cancellationToken)
    {
        try
        {
            Check(cancellationToken);
        }
        catch (Exception e) when (KeySpace.IsRefusal(e))
        {
            throw KeySpace.Explain(e);
        }
    }

    public void Dispose() => spill?.Dispose();

    private void Take(ReadOnlySpan<byte> taken)
    {
        if (spill is null && !table.IsFull)
        {
            if (table.Add(taken) is var other and > 0)
                throw NotUnique(other, KeyTable.PlaceOf(taken));
            return;
        }

        if (spill is null)
        {
            spill = new KeySpill(space.Open(), level);
            for (var i = 0; i < table.Count; i++)
                spill.Add(table[i]);
        }

        spill.Add(taken);
    }

    private void Check(CancellationToken cancellationToken)
    {
        if (spill is null)
            return;
        for (var portion = 0; portion < KeySpill.Portions; portion++)
        {
            // The table is free again: its content is on disk.
            using var keys = new DistinctKeys(space, table, level + 1);
            spill.Read(portion, keys.TakeAll, cancellationToken);
            keys.Check(cancellationToken);
        }
    }

    private void TakeAll(ReadOnlyMemory<byte> entries)
    {
        for (; !entries.IsEmpty; entries = entries[KeyTable.EntryBytes..])
            Take(entries.Span[..KeyTable.EntryBytes]);
    }

    private static SourceException NotUnique(long one, long other) => new(
        NotUniqueCode, $"Record {Math.Max(one, other)} has the key of record {Math.Min(one, other)}.", isTransient: false);
}
