using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>What this process alone remembers of a delivery: when it looks again, and the link that it looks at, which is never written down.</summary>
internal sealed class Looks
{
    private readonly Dictionary<(DutyKind, string), (int Tries, DateTimeOffset NextAt)> duties = [];

    /// <summary>To the manifest's future place, as the service answered it; null where none was answered, or it is dead.</summary>
    public Link? Staging { get; set; }

    /// <summary>Whether a link that is missing may be asked for: once, by the same request.</summary>
    public bool MayAskForStaging { get; set; } = true;

    public int Count { get; set; }

    /// <summary>Whether the last look where the route looks failed; the state is asked for all the same, and tells too.</summary>
    public bool IsLookFailing { get; set; }

    public DateTimeOffset NextLookAt { get; set; }

    public DateTimeOffset? NextStatusAt { get; set; }

    public DateTimeOffset? NextRevocationCheckAt { get; set; }

    /// <summary>How many records of a revoked batch this process has deleted, until that is written down.</summary>
    public long? RecordsDeleted { get; set; }

    /// <summary>How often the current step has failed in a row.</summary>
    public int Failures { get; set; }

    public DateTimeOffset NextTryOf(Duty duty) => duties.TryGetValue((duty.Kind, duty.What), out var tries) ? tries.NextAt : DateTimeOffset.MinValue;

    public int TriesOf(Duty duty) => duties.TryGetValue((duty.Kind, duty.What), out var tries) ? tries.Tries : 0;

    public void Tried(Duty duty, DateTimeOffset nextAt) => duties[(duty.Kind, duty.What)] = (TriesOf(duty) + 1, nextAt);
}
