namespace ClaimCheck.Service.Receipts.Ledger;

/// <summary>How far the last round of retries is, as the catalog writes it.</summary>
internal static class RoundState
{
    /// <summary>Its batch is under way.</summary>
    public const string Open = "open";

    /// <summary>Its batch has ended without an outcome; a late one is still accepted, until the next round.</summary>
    public const string Lost = "lost";

    /// <summary>Its outcomes are in the counts.</summary>
    public const string Folded = "folded";
}

/// <summary>A row of <c>receipts</c>, as Dapper reads it by <see cref="Columns"/>.</summary>
internal sealed record ReceiptRow(
    Guid BatchId, string Consumer, string State, long Succeeded, long Transient, long Terminal, string? Checkpoint,
    string? SaidState, long SaidSucceeded, long SaidTransient, long SaidTerminal, long ListedTransient,
    long ListedTerminal, int Rounds, Guid? RoundBatch, string? RoundState, DateTimeOffset? NextRoundAt,
    TimeSpan? NextRoundIn, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public const string Columns = """
        r.batch_id, r.consumer, r.state, r.succeeded, r.transient, r.terminal, r.checkpoint,
        r.said_state, r.said_succeeded, r.said_transient, r.said_terminal, r.listed_transient, r.listed_terminal,
        r.rounds, r.round_batch, r.round_state, r.next_round_at, r.next_round_at - now() AS next_round_in,
        r.created_at, r.updated_at
        """;

    public bool IsEnded => ReceiptState.IsEnd(State);
    public bool IsDiscarded => State == ReceiptState.Discarded;

    /// <summary>Whether it reports again what it had reported, or what the receipt has become by folding. The checkpoint has no
    /// meaning after the end.</summary>
    public bool IsRepeatedBy(ReceiptReport report) =>
        (report.State == State && report.Succeeded == Succeeded && report.Transient == Transient && report.Terminal == Terminal)
        || (!IsDiscarded && report.State == SaidState
            && report.Succeeded == SaidSucceeded && report.Transient == SaidTransient && report.Terminal == SaidTerminal);
}
