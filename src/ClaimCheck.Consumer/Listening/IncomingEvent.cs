using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Listening;

/// <summary>An event that was read and checked.</summary>
/// <param name="Event">The envelope.</param>
/// <param name="Data">What its type says; null for types that no handler hears of.</param>
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

    /// <summary>Which time it is handed over, from 1.</summary>
    public int Attempt { get; init; } = 1;

    public override string ToString() => Event.ToString();
}
