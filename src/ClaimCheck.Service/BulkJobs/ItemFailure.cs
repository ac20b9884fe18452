namespace ClaimCheck.Service.BulkJobs;

/// <summary>An item that failed, and why.</summary>
internal sealed record ItemFailure(long Index, string? Key, bool IsTransient, string Code, string Message)
{
    public string Class => IsTransient ? "transient" : "terminal";

    /// <summary>Without the key, which is data.</summary>
    public override string ToString() => $"{Index} {Code}";
}
