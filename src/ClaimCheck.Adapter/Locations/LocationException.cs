using ClaimCheck.Consumer;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// A location refused, or could not be reached. What passes, and what its operator can fix (a full disk, missing rights, wrong
/// credentials), is transient: the push is worth another try. What no further try can change is not.
/// </summary>
internal sealed class LocationException(
    LocationFailure reason, string message, BatchId? batchId = null, Exception? inner = null)
    : ClaimCheckException(
        CodeOf(reason), message, batchId, reason is not (LocationFailure.Refused or LocationFailure.Taken or LocationFailure.Unclear), inner)
{
    public LocationFailure Reason => reason;

    private static string CodeOf(LocationFailure reason) => reason switch
    {
        LocationFailure.Full => "location_full",
        LocationFailure.Denied => "location_denied",
        LocationFailure.Altered => "location_altered",
        LocationFailure.Refused => "location_refused",
        LocationFailure.Taken => "location_taken",
        LocationFailure.Unclear => "location_unclear",
        _ => "location_away",
    };
}

/// <summary>Why a location failed.</summary>
internal enum LocationFailure
{
    /// <summary>It can't be reached, stalls, or has a failure of its own.</summary>
    Away,

    /// <summary>No space, or a quota is used up.</summary>
    Full,

    /// <summary>Rights or credentials do not suffice.</summary>
    Denied,

    /// <summary>What arrived is not what was sent.</summary>
    Altered,

    /// <summary>The path, or the call, can't ever be served there.</summary>
    Refused,

    /// <summary>The folder is another batch's.</summary>
    Taken,

    /// <summary>It can't be told whether what is there is what was sent: sending it again would tell no more.</summary>
    Unclear,
}
