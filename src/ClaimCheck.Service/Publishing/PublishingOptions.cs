namespace ClaimCheck.Service.Publishing;

/// <summary>Settings below <c>ClaimCheck:Publishing</c>.</summary>
internal sealed class PublishingOptions : IValidatableObject
{
    /// <summary>How long the feed keeps events; a cursor older than that is answered with 410.</summary>
    public TimeSpan FeedRetention { get; init; } = TimeSpan.FromDays(14);

    /// <summary>The SNS topic that events go to, beside the feed. None by default.</summary>
    public string? TopicArn { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (TopicArn is not null && TopicArn.Split(':') is not ["arn", _, "sns", _, _, { Length: > 0 }])
        {
            yield return new(
                $"ClaimCheck:Publishing:TopicArn is '{TopicArn}', but must be an SNS topic's ARN " +
                "(arn:aws:sns:region:account:name): no event could be sent.");
        }

        if (FeedRetention < TimeSpan.FromHours(1))
        {
            yield return new(
                $"ClaimCheck:Publishing:FeedRetention is {FeedRetention}, but must be an hour or more: " +
                "a consumer that restarts would find its cursor expired.");
        }
    }
}
