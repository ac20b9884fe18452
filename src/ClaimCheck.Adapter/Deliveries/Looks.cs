namespace ClaimCheck.Adapter.Deliveries;

/// <summary>
/// What only this process remembers of a delivery: when it looks again, and the link that it looks at, which is never stored.
/// </summary>
internal sealed class Looks
{
    private readonly Dictionary<(DutyKind, string), (int Tries, DateTimeOffset NextAt)> duties = [];

    /// <summary>
    /// The link to the manifest's future place, as the service answered it; null where there was none, or it has expired.
    /// </summary>
    public Link? Staging { get; set; }

    /// <summary>Whether a missing link may be requested: once, by the same request.</summary>
    public bool MayAskForStaging { get; set; } = true;

    public int Count { get; set; }

    /// <summary>Whether the last look at the route's place failed; the state is asked for in any case, and tells too.</summary>
    public bool IsLookFailing { get; set; }

    public DateTimeOffset NextLookAt { get; set; }

    public DateTimeOffset? NextStatusAt { get; set; }

    public DateTimeOffset? NextRevocationCheckAt { get; set; }

    /// <summary>How many records of a revoked batch this process has deleted, until that is stored.</summary>
    public long? RecordsDeleted { get; set; }

    /// <summary>How often the current step has failed in a row.</summary>
    public int Failures { get; set; }

    public DateTimeOffset NextTryOf(Duty duty) =>
        duties.TryGetValue((duty.Kind, duty.What), out var tries) ? tries.NextAt : DateTimeOffset.MinValue;

    public int TriesOf(Duty duty) => duties.TryGetValue((duty.Kind, duty.What), out var tries) ? tries.Tries : 0;

    public void Tried(Duty duty, DateTimeOffset nextAt) => duties[(duty.Kind, duty.What)] = (TriesOf(duty) + 1, nextAt);
}
