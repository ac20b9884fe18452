namespace ClaimCheck.Service.BulkJobs;

/// <summary>The job itself can't continue. The text is for the caller who created it; it contains no values.</summary>
internal sealed class JobFailedException(string code, string detail, bool isTransient = false) : Exception(detail)
{
    public string Code { get; } = code;

    /// <summary>Whether the same job may succeed later.</summary>
    public bool IsTransient { get; } = isTransient;
}
