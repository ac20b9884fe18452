namespace ClaimCheck.Service.Links;

/// <summary>A batch whose links may be minted: it was ready when it was read, under a lock or a moment ago.</summary>
/// <param name="Id">Which.</param>
/// <param name="Remaining">How long it is still kept; null where it has no end.</param>
internal sealed record ReadyBatch(BatchId Id, TimeSpan? Remaining);

/// <summary>A batch that its producer may write to: it was open when it was read.</summary>
/// <param name="Id">Which.</param>
internal sealed record OpenBatch(BatchId Id);
