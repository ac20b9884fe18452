namespace ClaimCheck.Service.Sources;

/// <summary>Checks the keys as they pass: none is NULL, and no two are equal. Where the records come in key order, neighbours are
/// compared; elsewhere all of them. A failure names the record by its position, never by its value.</summary>
internal sealed class KeyCheck(int column, bool isOrdered)
{
    private byte[] previous = new byte[64];
    private int previousLength;
    private long ordinal;

    /// <summary>Which column is the key.</summary>
    public int Column { get; } = column;

    /// <summary>Compares all keys; null where that is not needed.</summary>
    public DistinctKeys? Distinct { get; init; }

    /// <summary>For a retry: the keys that it must find. Else null.</summary>
    public WantedKeys? Wanted { get; init; }

    /// <summary>Whether all records pass here. Where several connections read parts of a table, no place says which record it
    /// is.</summary>
    public bool SeesAll { get; init; } = true;

    /// <summary>The place of the record whose key comes next, from 1; null where it has none.</summary>
    public long? Place => SeesAll ? ordinal + 1 : null;

    /// <exception cref="SourceException">Always.</exception>
    public void SeeNull() =>
        throw new SourceException("key_null", $"{RecordPlace.Of(Place)} has no key.", isTransient: false);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void See(ReadOnlySpan<byte> key)
    {
        ordinal++;
        Distinct?.Add(key, ordinal);
        if (!isOrdered)
            return;
        if (ordinal > 1 && key.SequenceEqual(previous.AsSpan(0, previousLength)))
        {
            var record = RecordPlace.Of(SeesAll ? ordinal : null);
            throw new SourceException("key_not_unique", $"{record} has the key of the record before it.", isTransient: false);
        }

        if (key.Length > previous.Length)
            previous = new byte[(int)Math.Min(key.Length * 2L, Array.MaxLength)];
        key.CopyTo(previous);
        previousLength = key.Length;
    }
}
