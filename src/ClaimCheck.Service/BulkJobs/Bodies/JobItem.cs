namespace ClaimCheck.Service.BulkJobs.Bodies;

/// <summary>One item of a job.</summary>
/// <param name="Index">Its place in the body, from 0.</param>
/// <param name="Key">What names it; null where that could not be read.</param>
/// <param name="Values">In the order of the operation's parameters, as the text that Postgres reads; null where the item is invalid.</param>
/// <param name="Invalid">Why it does not fit, without its values; null where it does.</param>
internal sealed record JobItem(long Index, string? Key, string?[]? Values, string? Invalid)
{
    /// <summary>The longest key, in characters: keys are kept with what failed, and shown.</summary>
    private const int LongestKey = 1024;

    /// <summary>How much of it there is to hold, in characters.</summary>
    public long Length => Values?.Sum(value => (long)(value?.Length ?? 0)) ?? 0;

    /// <param name="index">Its place in the body.</param>
    /// <param name="values">What could be read of it.</param>
    /// <param name="keyPlace">Which of them names it.</param>
    /// <param name="fault">Why it does not fit, or null.</param>
    public static JobItem Of(long index, string?[] values, int keyPlace, string? fault)
    {
        var key = values[keyPlace];
        if (key?.Length > LongestKey)
            return new(index, null, null, fault ?? $"Its key is longer than {LongestKey} characters.");
        return new(index, key, fault is null ? values : null, fault);
    }

    /// <summary>The index alone: the rest is data.</summary>
    public override string ToString() => $"item {Index}";
}
