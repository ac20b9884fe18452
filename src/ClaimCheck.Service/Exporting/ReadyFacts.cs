namespace ClaimCheck.Service.Exporting;

/// <summary>What the outbox stores of a BulkReady: everything but links and addresses, which are made anew for
/// each delivery.</summary>
internal sealed record ReadyFacts(
    ExportId ExportId,
    BatchId BatchId,
    string Dataset,
    int SchemaVersion,
    BatchId? RetryOf,
    long Records,
    long Bytes,
    int Files,
    string Format,
    string Compression);
