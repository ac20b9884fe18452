namespace ClaimCheck.Consumer;

/// <summary>How a <see cref="BatchReader"/> fetches files, and what it accepts.</summary>
public sealed class BatchReaderOptions
{
    // No record of a batch is larger: Postgres sends no larger row, and buffers are limited.
    internal const int LargestRecord = 1 << 30;

    /// <summary>
    /// The hosts that links may lead to, besides the configured service's own scheme, host and port: a name or address, with
    /// <c>:port</c> where only that port is meant, or <c>*.example.com</c> for any name below. None by default; name the bucket's
    /// host where files are in S3. Links over plain http are followed only where the service itself is configured with http.
    /// </summary>
    public IReadOnlyCollection<string> AllowedLinkHosts { get; init; } = [];

    /// <summary>
    /// How often one block, index or file's beginning is tried without any progress before the read fails; 6 by default.
    /// </summary>
    public int MaxAttempts { get; init; } = 6;

    /// <summary>
    /// The delay before the second try, doubled for each further one, with jitter; 200 milliseconds by default.
    /// </summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a link's server may send nothing before the connection counts as cut; 30 seconds by default.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The largest block, before compression, that is read; 64 MiB by default. The service writes blocks of 1 to 4 MiB. About
    /// four such buffers are held at a time. A larger one ends the read with a <see cref="RecordTooLargeException"/>.
    /// </summary>
    public int MaxBlockBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// The largest record that is read, which is a block of its own; 256 MiB by default, as the service writes them
    /// (<c>ClaimCheck:Exporting:MaxRecordBytes</c>), 1 GiB at most. A larger one ends the read with a
    /// <see cref="RecordTooLargeException"/>. A <see cref="BatchDownloader"/> saves all that there are.
    /// </summary>
    public int MaxRecordBytes { get; init; } = 256 * 1024 * 1024;

    /// <summary>How many files a <see cref="BatchDownloader"/> saves at once; 2 by default, 1 to 64.</summary>
    public int ParallelFiles { get; init; } = 2;

    /// <summary>
    /// How often a <see cref="BatchDownloader"/> asks the service whether the batch was revoked; 5 seconds by default, 100
    /// milliseconds to an hour.
    /// </summary>
    public TimeSpan StateCheckInterval { get; init; } = TimeSpan.FromSeconds(5);

    internal void Validate()
    {
        if (ParallelFiles is < 1 or > 64)
            throw Invalid(nameof(ParallelFiles), $"{ParallelFiles}", "must be 1 to 64",
                "nothing would be saved, or buffers fill the memory");
        if (StateCheckInterval < TimeSpan.FromMilliseconds(100) || StateCheckInterval > TimeSpan.FromHours(1))
        {
            throw Invalid(nameof(StateCheckInterval), $"{StateCheckInterval}", "must be 100 milliseconds to an hour",
                "the service would be called all the time, or a revocation would go unnoticed");
        }
        foreach (var host in AllowedLinkHosts)
        {
            if (string.IsNullOrWhiteSpace(host) || host.Contains('/', StringComparison.Ordinal) || host is "*" or "*.")
            {
                throw Invalid(nameof(AllowedLinkHosts), $"'{host}'", "an entry must be a host, host:port or *.domain",
                    "it would match no link, or every one");
            }
        }
        if (MaxAttempts is < 1 or > 1000)
            throw Invalid(nameof(MaxAttempts), $"{MaxAttempts}", "must be 1 to 1000", "a block is tried never, or for ever");
        if (RetryDelay < TimeSpan.Zero || RetryDelay > TimeSpan.FromMinutes(1))
            throw Invalid(nameof(RetryDelay), $"{RetryDelay}", "must be zero to a minute", "doubled, the delays would not end");
        if (StallTimeout <= TimeSpan.Zero || StallTimeout > TimeSpan.FromHours(1))
            throw Invalid(nameof(StallTimeout), $"{StallTimeout}", "must be more than zero, at most an hour",
                "every read would count as stalled, or none");
        if (MaxBlockBytes is < 64 * 1024 or > 1024 * 1024 * 1024)
        {
            throw Invalid(nameof(MaxBlockBytes), $"{MaxBlockBytes}", "must be 64 KiB to 1 GiB",
                "ordinary blocks would be refused, or hostile ones would fill the memory");
        }
        if (MaxRecordBytes < MaxBlockBytes || MaxRecordBytes > 1024 * 1024 * 1024)
        {
            throw Invalid(
                nameof(MaxRecordBytes), $"{MaxRecordBytes}", $"must be {nameof(MaxBlockBytes)} ({MaxBlockBytes}) to 1 GiB",
                "a single record would be held to a lower limit than many, or fill the memory");
        }
    }

    private static ArgumentException Invalid(string name, string value, string rule, string consequence) =>
        new($"{nameof(BatchReaderOptions)}.{name} is {value}, but {rule}: {consequence}.", name);
}
