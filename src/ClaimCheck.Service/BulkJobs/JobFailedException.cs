namespace ClaimCheck.Service.BulkJobs;

/// <summary>The job itself can't go on. The text is for whoever asked for it; it names no values.</summary>
internal sealed class JobFailedException(string code, string detail, bool isTransient = false) : Exception(detail)
{
    public string Code { get; } = code;

    /// <summary>Whether the same job may succeed later.</summary>
    public bool IsTransient { get; } = isTransient;
}

/// <summary>The job is no longer this worker's.</summary>
internal sealed class JobLostException() : Exception("The lease of the job is lost.");
