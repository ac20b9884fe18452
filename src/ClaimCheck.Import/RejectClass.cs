namespace ClaimCheck.Import;

/// <summary>Why a record is among the rejects.</summary>
internal static class RejectClass
{
    /// <summary>It was not sent: it does not fit the configuration.</summary>
    public const string Invalid = "invalid";

    /// <summary>All rounds have failed transiently.</summary>
    public const string Transient = "transient";

    /// <summary>The endpoint refused it.</summary>
    public const string Terminal = "terminal";

    public static readonly string[] All = [Invalid, Transient, Terminal];
}
