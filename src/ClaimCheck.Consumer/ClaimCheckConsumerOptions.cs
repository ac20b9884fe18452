namespace ClaimCheck.Consumer;

/// <summary>What all listeners of a process share. Checked when the host starts.</summary>
public sealed class ClaimCheckConsumerOptions
{
    /// <summary>The name of the ActivitySource, for <c>AddSource</c>: one activity for each event handled.</summary>
    public const string ActivitySourceName = "ClaimCheck.Consumer";

    /// <summary>
    /// The service's address, for example <c>https://exports.example/</c>. Required: addresses in events are not trusted.
    /// </summary>
    public Uri? Service { get; set; }

    /// <summary>The consumer's key, or null where the service requires none. It is sent to <see cref="Service"/> only.</summary>
    public string? ApiKey { get; set; }

    /// <summary>
    /// The consumer's name, or null. Where it is set, events for another one (attribute <c>consumer</c>) are acknowledged
    /// unhandled; to the service it is sent as <see cref="ClaimCheckClientOptions.Consumer"/>.
    /// </summary>
    public string? Consumer { get; set; }

    /// <summary>
    /// Hosts that links may lead to, besides the service's own; see <see cref="BatchReaderOptions.AllowedLinkHosts"/>. None by
    /// default.
    /// </summary>
    public IList<string> AllowedLinkHosts { get; } = [];

    /// <summary>How SQS is reached, or null (the default) for what AWS's SDK finds by itself.</summary>
    public AwsMessagingOptions? Aws { get; set; }

    /// <summary>
    /// How often the service is asked whether a batch that is being handled was revoked; 10 seconds by default, 1 second to an
    /// hour. It bounds how long a revocation can go unnoticed where its event waits in a queue.
    /// </summary>
    public TimeSpan StateCheckInterval { get; set; } = TimeSpan.FromSeconds(10);

    internal ClaimCheckClientOptions ClientOptions => new() { BaseAddress = Service!, ApiKey = ApiKey, Consumer = Consumer };

    /// <summary>The largest record that is read; see <see cref="BatchReaderOptions.MaxRecordBytes"/>. 256
    /// MiB by default.</summary>
    public int MaxRecordBytes { get; set; } = new BatchReaderOptions().MaxRecordBytes;

    internal BatchReaderOptions ReaderOptions =>
        new() { AllowedLinkHosts = [.. AllowedLinkHosts], MaxRecordBytes = MaxRecordBytes };

    internal IEnumerable<string> Errors()
    {
        if (Service is null)
        {
            yield return "ClaimCheckConsumerOptions.Service is not set, but it is the only address that batches are asked for "
                + "at: no link could be renewed.";
            yield break;
        }
        if (StateCheckInterval < TimeSpan.FromSeconds(1) || StateCheckInterval > TimeSpan.FromHours(1))
        {
            yield return
                $"ClaimCheckConsumerOptions.StateCheckInterval is {StateCheckInterval}, but must be 1 second to an hour: "
                + "the service would be called all the time, or a revocation would go unnoticed.";
        }
        if (Refused() is { } refused)
            yield return refused;
    }

    private string? Refused()
    {
        try
        {
            ClientOptions.Validate();
            ReaderOptions.Validate();
            return null;
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }
}
