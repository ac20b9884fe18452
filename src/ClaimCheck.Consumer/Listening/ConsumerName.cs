namespace ClaimCheck.Consumer.Listening;

/// <summary>The consumer that this process listens as; null where it has no name, and receives everything.</summary>
internal sealed record ConsumerName(string? Value)
{
    /// <param name="consumer">The attribute of a message: <c>*</c>, or the one consumer that it is for; null without.</param>
    public bool Concerns(string? consumer) => Value is null || consumer is null or "*" || consumer == Value;
}
