using System.Runtime.InteropServices;

namespace ClaimCheck.Consumer;

/// <summary>
/// Applies records, a chunk at a time, and reports the outcome of each. What it writes through the chunk's transaction is
/// committed together with the position in the batch and the failures: it takes effect once, whatever is killed, duplicated or
/// late. What it does elsewhere is done at least once, from the last committed position. One is created for each event, in a
/// scope of its own.
/// </summary>
/// <typeparam name="T">
/// A record type, as <see cref="BatchReader.ReadAsync{T}(BulkReadyData, CancellationToken)"/> takes it; or <see cref="Record"/>,
/// for the fields as they are stored in their block.
/// </typeparam>
public interface IRecordHandler<T>
{
    /// <summary>Applies a chunk. Records succeed unless they are failed, one by one or all.</summary>
    /// <param name="chunk">The records, valid until this returns.</param>
    /// <param name="cancellationToken">
    /// Cancelled as soon as the batch is known to be revoked, the process stops and its time for that is over, or another process
    /// has taken the batch over.
    /// </param>
    /// <remarks>
    /// Throwing rolls back what was written through the transaction, and fails all records of the chunk: transient, with code
    /// <see cref="RecordOptions.HandlerFailed"/>, or as <see cref="RecordOptions.Fail{TException}"/> says. The batch continues.
    /// After a transient failure of the database (a deadlock, say) the chunk is passed again first.
    /// </remarks>
    Task HandleAsync(RecordChunk<T> chunk, CancellationToken cancellationToken);

    /// <summary>
    /// A batch begins, or continues after a crash or a stop. If this throws, the event is tried again. Does nothing by default.
    /// </summary>
    /// <param name="batch">The batch, and the position that it continues from.</param>
    /// <param name="cancellationToken">As above.</param>
    Task OnBatchStartingAsync(BatchStart batch, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// All records are handled. What is written through the transaction is committed together with the batch's end: it takes
    /// effect once. Throwing rolls that back, and the event is tried again. Does nothing by default.
    /// </summary>
    /// <param name="batch">The batch, and the outcomes of its records.</param>
    /// <param name="cancellationToken">As above.</param>
    Task OnBatchCompletedAsync(BatchCompletion batch, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// A batch was revoked: discard what was read of it. What is written through the transaction takes effect once; no chunk of
    /// the batch is passed after it. Also called for batches that this consumer never saw. If this throws, the event is tried
    /// again. Does nothing by default.
    /// </summary>
    /// <param name="discard">What was revoked, when and why, and how much of it had been applied.</param>
    /// <param name="cancellationToken">Cancelled where the process stops and its time for that is over.</param>
    Task OnRevokedAsync(BatchDiscard discard, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>The outcomes of a batch's records so far.</summary>
/// <param name="Succeeded">Records that took effect.</param>
/// <param name="Transient">Records that failed and may succeed if tried again.</param>
/// <param name="Terminal">Records that will never succeed.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct RecordCounts(long Succeeded, long Transient, long Terminal)
{
    /// <summary>All of them.</summary>
    public long Records => Succeeded + Transient + Terminal;
}

/// <summary>A batch that begins, or continues.</summary>
/// <param name="Ready">What was announced.</param>
/// <param name="Manifest">Its columns, key and counts.</param>
/// <param name="Position">Where it continues; <see cref="BatchPosition.Start"/> the first time.</param>
/// <param name="Counts">The outcomes of its records so far.</param>
/// <param name="Connection">The inbox's connection: the same for all chunks until the batch ends or the connection breaks. No
/// transaction is open.</param>
public sealed record BatchStart(
    BulkReadyData Ready, Manifest Manifest, BatchPosition Position, RecordCounts Counts, NpgsqlConnection Connection)
{
    /// <summary>True where an earlier run of it was interrupted.</summary>
    public bool IsResumed => Position.Records > 0;

    /// <summary>The batch's id: a manifest contains links.</summary>
    public override string ToString() => Ready.BatchId.ToString();
}

/// <summary>A batch whose records are all handled.</summary>
/// <param name="Ready">What was announced.</param>
/// <param name="Counts">The outcomes of its records.</param>
/// <param name="Connection">The inbox's connection.</param>
/// <param name="Transaction">The transaction that ends the batch. It is the inbox's to commit.</param>
public sealed record BatchCompletion(
    BulkReadyData Ready, RecordCounts Counts, NpgsqlConnection Connection, NpgsqlTransaction Transaction)
{
    /// <summary>The batch's id.</summary>
    public override string ToString() => Ready.BatchId.ToString();
}

/// <summary>A batch that was revoked.</summary>
/// <param name="BatchId">The batch.</param>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Reason">The reason given, or null: none was given, or the service reported it before its event came.</param>
/// <param name="RevokedAt">When it was committed; null in the latter case.</param>
/// <param name="Applied">The outcomes of its records before; zero for a batch that this consumer never saw.</param>
/// <param name="Connection">The inbox's connection.</param>
/// <param name="Transaction">The transaction in which the inbox records that it is discarded. It is the inbox's to
/// commit.</param>
public sealed record BatchDiscard(
    BatchId BatchId, string Dataset, string? Reason, DateTimeOffset? RevokedAt, RecordCounts Applied, NpgsqlConnection Connection,
    NpgsqlTransaction Transaction)
{
    /// <summary>The batch's id.</summary>
    public override string ToString() => BatchId.ToString();
}
