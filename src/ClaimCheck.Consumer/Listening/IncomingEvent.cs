namespace ClaimCheck.Consumer.Listening;

/// <summary>An event that was read and checked.</summary>
/// <param name="Event">The envelope.</param>
/// <param name="Data">The data of its type; null for types without a handler method.</param>
internal sealed record IncomingEvent(BulkEvent Event, object? Data)
{
    public BatchId? BatchId => Data switch
    {
        BulkReadyData ready => ready.BatchId,
        BulkRevokedData revoked => revoked.BatchId,
        BulkCancelledData cancelled => cancelled.BatchId,
        BulkFailedData failed => failed.BatchId,
        _ => null,
    };

    public string? TraceParent { get; init; }

    /// <summary>The delivery count, from 1.</summary>
    public int Attempt { get; init; } = 1;

    public override string ToString() => Event.ToString();
}
