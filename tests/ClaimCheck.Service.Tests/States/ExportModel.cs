using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Tests.States;

/// <summary>What can happen to an export.</summary>
internal enum Step
{
    Open, // before all others, or nothing
    Publish,
    Lease,
    Renew,
    Complete,
    Fail,
    FailTry,
    HandBack,
    LoseLease,
    Reclaim,
    Revoke,
    Expire,
    Relay,
    Claim,
}

/// <summary>Something that happens, by one of the workers that ever held the lease.</summary>
internal sealed record Happening(Step Step, int Worker);

/// <summary>The states of the design, without a database.</summary>
internal sealed class ExportModel
{
    private bool lapsed;

    public string State { get; set; } = ExportState.Pending;
    public int Tries { get; private set; }
    public int? Holder { get; private set; }
    public int? ReadyBy { get; private set; }
    public int Abandoned { get; private set; }
    public List<(string Type, string Fate)> Events { get; } = [];

    /// <summary>The answer for the caller.</summary>
    public string Play(Happening happening, int workers)
    {
        var by = workers == 0 ? -1 : happening.Worker % workers;
        var holds = State == ExportState.Running && Holder == by;
        switch (happening.Step)
        {
            case Step.Publish:
                var wasOpen = State == ExportState.Open;
                State = wasOpen ? ExportState.Pending : State;
                return $"{wasOpen}";
            case Step.Lease:
                if (State != ExportState.Pending)
                    return "nothing to lease";
                (State, Holder, lapsed) = (ExportState.Running, workers, false);
                return "leased";
            case Step.Renew when workers > 0:
                lapsed &= !holds;
                return $"{holds}";
            case Step.Complete when workers > 0:
                if (!holds)
                    return $"{ReadyBy == by}"; // told again of what it had done
                (State, ReadyBy, Holder) = (ExportState.Ready, by, null);
                Events.Add((EventTypes.BulkReady, "waiting"));
                return "True";
            case Step.Fail when workers > 0:
                if (holds)
                    End(ExportState.Failed, EventTypes.BulkFailed);
                return $"{holds}";
            case Step.HandBack or Step.FailTry when workers > 0:
                if (holds)
                    Abandon(happening.Step == Step.FailTry);
                return "";
            case Step.LoseLease:
                lapsed = State == ExportState.Running;
                return "";
            case Step.Reclaim:
                if (State != ExportState.Running || !lapsed)
                    return "0 reclaimed";
                Abandon(failed: false);
                return "1 reclaimed";
            case Step.Revoke:
                if (State == ExportState.Ready)
                    End(ExportState.Revoked, EventTypes.BulkRevoked);
                else if (!ExportState.IsEnd(State))
                    End(ExportState.Cancelled, EventTypes.BulkCancelled);
                return "";
            case Step.Expire:
                if (State == ExportState.Ready)
                    State = ExportState.Expired;
                return "";
            case Step.Relay:
                for (var at = 0; at < Events.Count; at++)
                {
                    if (Events[at] is (var type, "waiting"))
                        Events[at] =
                            (type, type == EventTypes.BulkReady && State != ExportState.Ready ? "superseded" : "published");
                }

                return "";
            case Step.Claim:
                return State switch
                {
                    ExportState.Ready => "redeemed",
                    ExportState.Open or ExportState.Pending or ExportState.Running => "not ready",
                    _ => State,
                };
            default:
                return "nobody";
        }
    }

    private void Abandon(bool failed)
    {
        (State, Holder) = (ExportState.Pending, null);
        Abandoned++;
        Tries += failed ? 1 : 0;
    }

    private void End(string state, string type)
    {
        (State, Holder) = (state, null);
        Events.Add((type, "waiting"));
    }
}
