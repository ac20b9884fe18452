namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>Settings below <c>ClaimCheck:Subscriptions</c>.</summary>
internal sealed class SubscriptionOptions : IValidatableObject
{
    /// <summary>The AWS accounts, separated by commas, whose queues may be subscribed; by default only the topic's own.</summary>
    public string AllowedAccounts { get; init; } = "";

    /// <summary>The queue (its ARN) for messages that SNS can't deliver to a subscribed queue; by default they are
    /// lost.</summary>
    public string? DeadLetterQueueArn { get; init; }

    /// <summary>The accounts of <see cref="AllowedAccounts"/>.</summary>
    public IReadOnlyList<string> Accounts =>
        AllowedAccounts.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Accounts.FirstOrDefault(account => account.Length != 12 || !account.All(char.IsAsciiDigit)) is { } odd)
        {
            yield return new(
                $"ClaimCheck:Subscriptions:AllowedAccounts names '{odd}', but an AWS account is 12 digits: no queue of "
                + "it could be subscribed.");
        }

        if (DeadLetterQueueArn is not null && !QueueArn.TryParse(DeadLetterQueueArn, out _))
        {
            yield return new(
                $"ClaimCheck:Subscriptions:DeadLetterQueueArn is '{DeadLetterQueueArn}', but must be a queue's ARN " +
                "(arn:aws:sqs:region:account:name): SNS would refuse every subscription.");
        }
    }
}
