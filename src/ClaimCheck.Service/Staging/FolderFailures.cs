namespace ClaimCheck.Service.Staging;

/// <summary>Explains the file system's errors.</summary>
internal static class FolderFailures
{
    private const int NoSpace = 28; // ENOSPC
    private const int OverQuota = 122; // EDQUOT
    private const int DiskFull = unchecked((int)0x80070070); // Windows

    public static bool IsFailure(Exception exception) => exception is IOException or UnauthorizedAccessException;

    public static StagingException Explain(Exception exception, string doing)
    {
        var failed = $"The staging folder could not {doing}";
        return exception switch
        {
            FileNotFoundException or DirectoryNotFoundException =>
                new StagingException($"{failed}: it is not there.", isTransient: false, isMissing: true, exception),
            IOException { HResult: NoSpace or OverQuota or DiskFull } =>
                new StagingException($"{failed}: the disk is full. Free some space; what is being exported is tried again.",
                    isTransient: true, inner: exception),
            // Paths in the text are the operator's own; an operator can fix permissions, so further tries make sense.
            _ => new StagingException($"{failed}: {exception.Message}", isTransient: true, inner: exception),
        };
    }
}
