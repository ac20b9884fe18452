namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// A location refused, or could not be reached. Failures that pass, and those that its operator can fix (a full disk, missing
/// permissions, wrong credentials), are transient: the push is worth another try. Failures that no further try can change are
/// not.
/// </summary>
internal sealed class LocationException(
    LocationFailure reason, string message, BatchId? batchId = null, Exception? inner = null)
    : ClaimCheckException(
        CodeOf(reason), message, batchId,
        reason is not (LocationFailure.Refused or LocationFailure.Taken or LocationFailure.Unclear), inner)
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
    /// <summary>It can't be reached, stalls, or has an internal failure.</summary>
    Away,

    /// <summary>No space, or a quota is used up.</summary>
    Full,

    /// <summary>Permissions or credentials do not suffice.</summary>
    Denied,

    /// <summary>What arrived is not what was sent.</summary>
    Altered,

    /// <summary>The location can never serve the path, or the call.</summary>
    Refused,

    /// <summary>The folder belongs to another batch.</summary>
    Taken,

    /// <summary>It can't be verified that the file is what was sent: sending it again would not help.</summary>
    Unclear,
}
