namespace ClaimCheck.Consumer;

/// <summary>
/// One record of a chunk, which succeeds unless it is failed. Where it is failed more than once, the last call counts.
/// </summary>
/// <typeparam name="T">A record type, or <see cref="Record"/>.</typeparam>
public readonly struct ChunkRecord<T> : IEquatable<ChunkRecord<T>>
{
    private readonly RecordChunk<T> chunk;
    private readonly int index;

    internal ChunkRecord(RecordChunk<T> chunk, int index) => (this.chunk, this.index) = (chunk, index);

    /// <summary>The record.</summary>
    public T Value => chunk.Values[index];

    /// <summary>The record key: the key column's value, as text. A new string is created by each call.</summary>
    public string Key => Raw.Key;

    /// <summary>The record's index in the batch, from 0.</summary>
    public long Ordinal => chunk.FirstOrdinal + chunk.Buffer.PlaceOf(index);

    /// <summary>The record as it is stored in its block. Valid until the handler returns.</summary>
    public Record Raw => chunk.Buffer.RawOf(index);

    /// <summary>The record failed, and may succeed if it is tried again.</summary>
    /// <param name="code">A stable code of your own, 1 to 100 characters, for example <c>db_down</c>.</param>
    /// <param name="message">The reason, in words and without values; cut at 1,024 characters; or null.</param>
    public void FailTransient(string code, string? message = null) => chunk.Fail(index, FailureClass.Transient, code, message);

    /// <summary>The record failed terminally: it will never succeed.</summary>
    /// <param name="code">A stable code of your own, 1 to 100 characters, for example <c>unknown_customer</c>.</param>
    /// <param name="message">The reason, in words and without values; cut at 1,024 characters; or null.</param>
    public void FailTerminal(string code, string? message = null) => chunk.Fail(index, FailureClass.Terminal, code, message);

    /// <summary>Two views of the same record are equal.</summary>
    public bool Equals(ChunkRecord<T> other) => ReferenceEquals(chunk, other.chunk) && index == other.index;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ChunkRecord<T> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(chunk, index);

    /// <summary>Two views of the same record are equal.</summary>
    public static bool operator ==(ChunkRecord<T> left, ChunkRecord<T> right) => left.Equals(right);

    /// <summary>Two views of different records are not equal.</summary>
    public static bool operator !=(ChunkRecord<T> left, ChunkRecord<T> right) => !left.Equals(right);

    /// <summary>The position in the batch: key and values are data.</summary>
    public override string ToString() => $"record {Ordinal}";
}
