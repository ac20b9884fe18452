using System.Collections;

namespace ClaimCheck.Consumer;

/// <summary>
/// Some records of a batch, in their order, of one verified block. All succeed unless they are failed. Valid until the handler
/// returns; records may be failed from several threads.
/// </summary>
/// <example><code>
/// foreach (var order in chunk)
/// {
///     if (order.Value.Total &lt; 0)
///         order.FailTerminal("negative_total", "The total is below zero.");
/// }
/// </code></example>
/// <typeparam name="T">A record type, or <see cref="Record"/>.</typeparam>
public sealed class RecordChunk<T> : IReadOnlyList<ChunkRecord<T>>
{
    private readonly ChunkBuffer<T> buffer;
    private readonly ChunkOutcomes outcomes = new();
    private NpgsqlTransaction? transaction;
    private bool isOver;

    internal RecordChunk(ChunkBuffer<T> buffer)
    {
        this.buffer = buffer;
        (Count, Start, Next, FirstOrdinal) = (buffer.Count, buffer.Start, buffer.Next, buffer.Start.Records);
    }

    /// <summary>What was announced: batch, dataset, counts, and whether it is a retry.</summary>
    public BulkReadyData Ready => buffer.Ready;

    /// <summary>The batch.</summary>
    public BatchId BatchId => buffer.Ready.BatchId;

    /// <summary>The columns, in order.</summary>
    public IReadOnlyList<Column> Columns => Buffer.Columns;

    /// <summary>How many records there are: <see cref="RecordOptions.ChunkSize"/> at most, fewer at a block's end.</summary>
    public int Count { get; }

    /// <summary>Where the chunk begins.</summary>
    public BatchPosition Start { get; }

    /// <summary>Where the batch continues once the chunk is committed.</summary>
    public BatchPosition Next { get; }

    /// <summary>How many times in a row the chunk was passed, from 1.</summary>
    public int Attempt { get; private set; } = 1;

    /// <summary>The inbox's connection, for effects that are to be committed together with the chunk's outcomes.</summary>
    public NpgsqlConnection Connection => Transaction.Connection ?? throw Ended();

    /// <summary>The transaction for such effects. It is the inbox's to commit: neither commit it nor roll it back.</summary>
    public NpgsqlTransaction Transaction => !isOver && transaction is not null ? transaction : throw Over();

    /// <summary>The records' values, in order.</summary>
    public ReadOnlySpan<T> Values => Buffer.Values;

    /// <summary>How many records are failed so far.</summary>
    public int Failed => outcomes.Count;

    /// <summary>One record.</summary>
    /// <param name="index">Its index in the chunk, from 0.</param>
    public ChunkRecord<T> this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            return new(this, index);
        }
    }

    /// <summary>Fails all records that are not failed yet: they may succeed if tried again.</summary>
    /// <param name="code">A stable code of your own, 1 to 100 characters, for example <c>db_down</c>.</param>
    /// <param name="message">The reason, in words and without values; cut at 1,024 characters; or null.</param>
    public void FailRestTransient(string code, string? message = null) => FailRest(FailureClass.Transient, code, message);

    /// <summary>Fails all records that are not failed yet: they will never succeed.</summary>
    /// <param name="code">A stable code of your own, 1 to 100 characters.</param>
    /// <param name="message">The reason, in words and without values; cut at 1,024 characters; or null.</param>
    public void FailRestTerminal(string code, string? message = null) => FailRest(FailureClass.Terminal, code, message);

    /// <summary>Enumerates the records without allocating.</summary>
    public Enumerator GetEnumerator() => new(this);

    IEnumerator<ChunkRecord<T>> IEnumerable<ChunkRecord<T>>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Batch and position.</summary>
    public override string ToString() => $"{Count} records of {BatchId} from {Start}";

    internal long FirstOrdinal { get; }

    internal ChunkBuffer<T> Buffer => isOver ? throw Over() : buffer;

    internal ChunkOutcomes Outcomes => outcomes;

    /// <summary>
    /// All its records as they were written, in the batch's format and without a header; null where reading them has changed
    /// them.
    /// </summary>
    internal ReadOnlyMemory<byte>? Written => Buffer.Written;

    internal void Begin(NpgsqlTransaction of, int attempt)
    {
        (transaction, Attempt) = (of, attempt);
        outcomes.Clear();
    }

    internal void End() => isOver = true;

    internal void Fail(int index, string failureClass, string code, string? message)
    {
        if (isOver)
            throw Over();
        outcomes.Fail(index, failureClass, code, message);
    }

    private void FailRest(string failureClass, string code, string? message)
    {
        if (isOver)
            throw Over();
        outcomes.FailRest(Count, failureClass, code, message);
    }

    private static InvalidOperationException Over() => new("This chunk is over: its handler has returned.");

    private static InvalidOperationException Ended() =>
        new("The chunk's transaction was ended by its handler; it is the inbox's to commit.");

    /// <summary>Enumerates a chunk.</summary>
    public struct Enumerator : IEnumerator<ChunkRecord<T>>
    {
        private readonly RecordChunk<T> chunk;
        private int index;

        internal Enumerator(RecordChunk<T> chunk) => (this.chunk, index) = (chunk, -1);

        /// <inheritdoc/>
        public readonly ChunkRecord<T> Current => chunk[index];

        readonly object IEnumerator.Current => Current;

        /// <inheritdoc/>
        public bool MoveNext() => ++index < chunk.Count;

        /// <inheritdoc/>
        public void Reset() => index = -1;

        /// <inheritdoc/>
        public readonly void Dispose()
        {
        }
    }
}
