using System.ComponentModel.DataAnnotations;

namespace ClaimCheck.Service.Publishing;

/// <summary>Settings below <c>ClaimCheck:Publishing</c>.</summary>
internal sealed class PublishingOptions : IValidatableObject
{
    /// <summary>How long the feed keeps events; a cursor older than that is answered with 410.</summary>
    public TimeSpan FeedRetention { get; init; } = TimeSpan.FromDays(14);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (FeedRetention < TimeSpan.FromHours(1))
        {
            yield return new(
                $"ClaimCheck:Publishing:FeedRetention is {FeedRetention}, but must be an hour or more: " +
                "a consumer that restarts would find its cursor expired.");
        }
    }
}
