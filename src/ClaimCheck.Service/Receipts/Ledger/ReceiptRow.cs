using ClaimCheck.Contracts;

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
internal sealed record ReceiptRow
{
    public const string Columns = """
        r.batch_id, r.consumer, r.state, r.succeeded, r.transient, r.terminal, r.checkpoint,
        r.said_state, r.said_succeeded, r.said_transient, r.said_terminal, r.listed_transient, r.listed_terminal,
        r.rounds, r.round_batch, r.round_state, r.next_round_at, r.next_round_at - now() AS next_round_in,
        r.created_at, r.updated_at
        """;

    public required Guid BatchId { get; init; }
    public required string Consumer { get; init; }
    public required string State { get; init; }
    public required long Succeeded { get; init; }
    public required long Transient { get; init; }
    public required long Terminal { get; init; }
    public string? Checkpoint { get; init; }
    public string? SaidState { get; init; }
    public required long SaidSucceeded { get; init; }
    public required long SaidTransient { get; init; }
    public required long SaidTerminal { get; init; }
    public required long ListedTransient { get; init; }
    public required long ListedTerminal { get; init; }
    public required int Rounds { get; init; }
    public Guid? RoundBatch { get; init; }
    public string? RoundState { get; init; }
    public DateTimeOffset? NextRoundAt { get; init; }
    public TimeSpan? NextRoundIn { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    public bool IsEnded => ReceiptState.IsEnd(State);
    public bool IsDiscarded => State == ReceiptState.Discarded;

    /// <summary>
    /// Whether it reports again what it had reported, or what the receipt has become by folding. The checkpoint has no meaning
    /// after the end.
    /// </summary>
    public bool IsRepeatedBy(ReceiptReport report) =>
        (report.State == State && report.Succeeded == Succeeded && report.Transient == Transient && report.Terminal == Terminal)
        || (!IsDiscarded && report.State == SaidState
            && report.Succeeded == SaidSucceeded && report.Transient == SaidTransient && report.Terminal == SaidTerminal);
}
