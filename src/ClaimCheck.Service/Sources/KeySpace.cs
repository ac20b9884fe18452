namespace ClaimCheck.Service.Sources;

/// <summary>Where the keys of an export are compared: a limited amount of memory, and temporary files for the rest.</summary>
/// <param name="files">For the keys that do not fit into memory.</param>
/// <param name="memory">Bytes, for one export.</param>
internal sealed class KeySpace(TemporaryFiles files, long memory)
{
    private const int NoSpace = 28; // ENOSPC
    private const int OverQuota = 122; // EDQUOT
    private const int DiskFull = unchecked((int)0x80070070); // Windows

    /// <summary>How many keys are held in memory.</summary>
    public int Capacity { get; } = (int)Math.Clamp(memory / KeyTable.BytesOfEach, 16, 1 << 24);

    /// <summary>A temporary file. The caller disposes it.</summary>
    /// <exception cref="IOException">The disk is full, or writing failed.</exception>
    public FileStream Open() => files.Open();

    public static bool IsRefusal(Exception exception) => exception is IOException or UnauthorizedAccessException;

    /// <summary>Why the keys can't be compared: not the source's fault, and perhaps transient.</summary>
    public static SourceException Explain(Exception refusal) => new(
        "key_check_unavailable",
        refusal is IOException { HResult: NoSpace or OverQuota or DiskFull }
            ? "The worker's disk is full: the keys, which come in no order, can't be compared. Free some space "
                + "in its data directory."
            : "The worker can't write the keys, which come in no order, into its data directory to compare them "
                + $"({refusal.GetType().Name}).",
        isTransient: true,
        refusal);
}
