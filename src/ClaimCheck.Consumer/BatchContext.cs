namespace ClaimCheck.Consumer;

/// <summary>A ready batch, as a handler gets it. Valid until the handler returns.</summary>
public sealed class BatchContext
{
    private readonly BatchReader reader;
    private readonly CancellationToken handling;

    internal BatchContext(
        BatchReader reader, IncomingEvent incoming, BulkReadyData ready, CancellationToken revoked, CancellationToken handling)
    {
        this.reader = reader;
        this.handling = handling;
        (Event, Ready, TraceParent, Attempt, Revoked) = (incoming.Event, ready, incoming.TraceParent, incoming.Attempt, revoked);
    }

    internal BatchReader Reader => reader;

    /// <summary>The event, as it was published.</summary>
    public BulkEvent Event { get; }

    /// <summary>Its data: counts, format, schema version.</summary>
    public BulkReadyData Ready { get; }

    /// <summary>The batch.</summary>
    public BatchId BatchId => Ready.BatchId;

    /// <summary>The dataset's name.</summary>
    public string Dataset => Ready.Dataset;

    /// <summary>
    /// The trace that the export was asked for in (https://www.w3.org/TR/trace-context/), or null. The activity that is current
    /// while the handler runs continues it.
    /// </summary>
    public string? TraceParent { get; }

    /// <summary>The delivery count of the event, from 1; approximate, according to AWS.</summary>
    public int Attempt { get; }

    /// <summary>
    /// Cancelled as soon as it is known that the batch was revoked. Reads end by themselves then; this is for other work.
    /// </summary>
    public CancellationToken Revoked { get; }

    /// <summary>Reads the records; see <see cref="BatchReader.ReadAsync{T}(BulkReadyData, CancellationToken)"/>.</summary>
    /// <typeparam name="T">A record type.</typeparam>
    /// <param name="cancellationToken">By default the handler's own.</param>
    public IAsyncEnumerable<T> ReadAsync<T>(CancellationToken cancellationToken = default) =>
        reader.ReadAsync<T>(Ready, Or(cancellationToken));

    /// <summary>Reads the records raw; each is valid until the next is asked for.</summary>
    /// <param name="cancellationToken">By default the handler's own.</param>
    public IAsyncEnumerable<Record> ReadRecordsAsync(CancellationToken cancellationToken = default) =>
        reader.ReadRecordsAsync(Ready, Or(cancellationToken));

    /// <summary>The event's type, id and subject.</summary>
    public override string ToString() => Event.ToString();

    private CancellationToken Or(CancellationToken given) => given.CanBeCanceled ? given : handling;
}
