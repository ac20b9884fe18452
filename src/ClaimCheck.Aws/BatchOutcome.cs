namespace ClaimCheck.Aws;

/// <summary>What became of one entry of a batch; the outcomes come in the order of the entries.</summary>
public sealed record BatchOutcome
{
    /// <summary>The id that the message got; null where the entry failed, and for deletes and changes of visibility.</summary>
    public string? MessageId { get; init; }

    /// <summary>Null where the entry succeeded; else why it did not. Other entries are not concerned.</summary>
    public AwsMessagingException? Failure { get; init; }

    /// <summary>Whether the entry succeeded.</summary>
    public bool Succeeded => Failure is null;
}
