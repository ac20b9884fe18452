namespace ClaimCheck.Adapter.Deliveries;

/// <summary>
/// The transitions from one state of a delivery to the next, each with the duties that it creates. Null where the state does not
/// allow the transition: a late one changes nothing.
/// </summary>
internal static class Transitions
{
    /// <summary>The service accepted the request, or answered it again.</summary>
    public static DeliveryDocument? Asked(this DeliveryDocument document, Export export) =>
        document.State is DeliveryState.Requested or DeliveryState.Cancelling && document.ExportId is null
            ? document with
            {
                State = document.State == DeliveryState.Requested ? DeliveryState.Waiting : document.State,
                ExportId = export.ExportId,
                BatchId = export.BatchId,
            }
            : null;

    /// <summary>The batch is ready.</summary>
    public static DeliveryDocument? Ready(this DeliveryDocument document) =>
        document.State == DeliveryState.Waiting ? document with { State = DeliveryState.Delivering } : null;

    /// <summary>All files are at the destination.</summary>
    public static DeliveryDocument? Delivered(
        this DeliveryDocument document, long records, long bytes, int files, bool notifies, DateTimeOffset now) =>
        document.State == DeliveryState.Delivering
            ? document with
            {
                State = DeliveryState.Delivered,
                Records = records,
                Bytes = bytes,
                Files = files,
                DeliveredAt = now,
                Duties = [.. Notice("delivered", notifies, now), new(DutyKind.Receipt, ReceiptState.Completed, now)],
            }
            : null;

    /// <summary>All records are in the table, or have failed individually. The inbox has written the receipt.</summary>
    public static DeliveryDocument? Loaded(
        this DeliveryDocument document, Batch batch, RecordOutcomes outcomes, bool notifies, DateTimeOffset now) =>
        document.State == DeliveryState.Delivering
            ? document with
            {
                State = DeliveryState.Delivered,
                Records = batch.Records,
                Bytes = batch.Bytes,
                Files = batch.Files,
                Outcomes = outcomes,
                DeliveredAt = now,
                BatchExpiresAt = batch.ExpiresAt,
                Duties = Notice("delivered", notifies, now),
            }
            : null;

    /// <summary>It can't be delivered.</summary>
    public static DeliveryDocument? Failed(
        this DeliveryDocument document, DeliveryFailure failure, bool notifies, DateTimeOffset now) =>
        document.State is DeliveryState.Requested or DeliveryState.Waiting or DeliveryState.Delivering
            ? document with
            {
                State = DeliveryState.Failed,
                Failure = failure,
                EndedAt = now,
                Duties = Notice("failed", notifies, now),
            }
            : null;

    /// <summary>The caller has cancelled it.</summary>
    public static DeliveryDocument? CancelAsked(this DeliveryDocument document, string? reason) =>
        document.HasEnded || document.State is DeliveryState.Cancelling or DeliveryState.Revoking
            ? null
            : document with { State = DeliveryState.Cancelling, Reason = reason, Duties = [] };

    /// <summary>The export was cancelled at the service, before it was ready.</summary>
    public static DeliveryDocument? CancelledElsewhere(
        this DeliveryDocument document, string? reason, bool notifies, DateTimeOffset now) =>
        document.State is DeliveryState.Waiting or DeliveryState.Delivering
            ? document with
            {
                State = DeliveryState.Cancelled,
                Reason = reason,
                EndedAt = now,
                Duties = Notice("cancelled", notifies, now),
            }
            : null;

    /// <summary>The batch was revoked. Pending notices about its delivery are dropped: nobody must be sent there.</summary>
    public static DeliveryDocument? RevokedBySource(this DeliveryDocument document, string? reason) =>
        document.State is DeliveryState.Waiting or DeliveryState.Delivering or DeliveryState.Delivered
            ? document with { State = DeliveryState.Revoking, Reason = reason, Duties = [] }
            : null;

    /// <summary>Nothing of it is at the destination, or must be removed there.</summary>
    public static DeliveryDocument? Removed(this DeliveryDocument document, bool notifies, DateTimeOffset now) =>
        document.State switch
        {
            DeliveryState.Revoking => document with
            {
                State = DeliveryState.Revoked,
                EndedAt = now,
                Duties = [.. Notice("revoked", notifies, now), new(DutyKind.Receipt, ReceiptState.Discarded, now)],
            },
            DeliveryState.Cancelling =>
                document with { State = DeliveryState.Cancelled, EndedAt = now, Duties = Notice("cancelled", notifies, now) },
            _ => null,
        };

    /// <summary>The table's inbox has recorded the revocation, and has written the receipt.</summary>
    public static DeliveryDocument? Unloaded(this DeliveryDocument document, long? deleted, bool notifies, DateTimeOffset now) =>
        document.Removed(notifies, now) is { } removed
            ? removed with
            {
                RecordsDeleted = deleted ?? document.RecordsDeleted,
                Duties = [.. removed.Duties.Where(duty => duty.Kind != DutyKind.Receipt)],
            }
            : null;

    /// <summary>A duty was done, or given up.</summary>
    public static DeliveryDocument? Discharged(
        this DeliveryDocument document, Duty duty, DateTimeOffset now, string? givenUp = null) =>
        document.WithDuty(
            duty, each => givenUp is null ? each with { DoneAt = now, LastFailure = null } : each with { GivenUp = givenUp });

    /// <summary>A try of a duty failed.</summary>
    public static DeliveryDocument? Tried(this DeliveryDocument document, Duty duty, StepFailure failure) =>
        document.WithDuty(duty, each => each with { LastFailure = failure });

    private static DeliveryDocument? WithDuty(this DeliveryDocument document, Duty duty, Func<Duty, Duty> change) =>
        document.Duties.Any(each => each.IsOpen && each.Is(duty))
            ? document with { Duties = [.. document.Duties.Select(each => each.Is(duty) ? change(each) : each)] }
            : null;

    private static Duty[] Notice(string what, bool notifies, DateTimeOffset now) =>
        notifies ? [new(DutyKind.Notice, what, now)] : [];
}
