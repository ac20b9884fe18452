using System.Globalization;

namespace ClaimCheck.Aws.Wire;

/// <summary>The entries of a batch, whose ids are their places: both services answer in any order.</summary>
internal static class BatchEntries
{
    public const int Most = 10;

    public static void Check(int count)
    {
        if (count is < 1 or > Most)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"A batch has 1 to {Most} entries.");
    }

    public static string Id(int index) => index.ToString(CultureInfo.InvariantCulture);

    public static int IndexOf(string? id, int count) =>
        int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < count
            ? index
            : throw new UnreadableException("it names an entry that was not sent");

    public static BatchOutcome Failed(string call, int index, string? code, bool isSendersFault)
    {
        var error = new WireError(code?.Replace("AWS.SimpleQueueService.", "", StringComparison.Ordinal), Words: null);
        var kind = Failures.KindOf(error, status: null);
        // Not one of the known codes: who is at fault tells.
        if (kind == AwsFailure.Invalid && !isSendersFault)
            kind = AwsFailure.Unavailable;
        return new BatchOutcome
        {
            Failure = new AwsMessagingException(
                kind, error.Code ?? "Unknown", $"{call}: entry {index} failed with {error.Code ?? "no code"}.", Failures.IsTransient(kind)),
        };
    }

    /// <summary>An entry that the answer leaves out may have succeeded or not.</summary>
    public static BatchOutcome[] Complete(BatchOutcome?[] outcomes, string call)
    {
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] ??= new BatchOutcome
            {
                Failure = new AwsMessagingException(AwsFailure.Unreadable, "Unreadable", $"{call}: the answer leaves out entry {i}.", isTransient: true),
            };
        }
        return outcomes!;
    }
}
