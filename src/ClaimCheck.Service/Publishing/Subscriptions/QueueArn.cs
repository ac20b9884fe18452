using System.Diagnostics.CodeAnalysis;

namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>A queue as AWS names it: <c>arn:aws:sqs:region:account:name</c>.</summary>
internal sealed record QueueArn(string Partition, string Region, string Account, string Name)
{
    public static bool TryParse(string? text, [NotNullWhen(true)] out QueueArn? arn)
    {
        arn = text is { Length: <= 200 } && text.Split(':') is ["arn", { Length: > 0 } partition,
            "sqs", { Length: > 0 } region, { Length: 12 } account, { Length: > 0 and <= 80 } name]
            && IsWord(partition) && IsWord(region) && account.All(char.IsAsciiDigit) && IsName(name)
            ? new(partition, region, account, name)
            : null;
        return arn is not null;
    }

    private static bool IsWord(string text) => text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
    private static bool IsName(string name)
    {
        var stem = name.EndsWith(".fifo", StringComparison.Ordinal) ? name[..^5] : name;
        return stem.Length > 0 && stem.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
    }
}
