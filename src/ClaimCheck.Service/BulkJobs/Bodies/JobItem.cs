namespace ClaimCheck.Service.BulkJobs.Bodies;

/// <summary>One item of a job.</summary>
/// <param name="Index">Its index in the body, from 0.</param>
/// <param name="Key">The value of its key parameter; null where that could not be read.</param>
/// <param name="Values">In the order of the operation's parameters, as the text that Postgres reads; null where the
/// item is invalid.</param>
/// <param name="Invalid">Why it is invalid, without its values; null where it is valid.</param>
internal sealed record JobItem(long Index, string? Key, string?[]? Values, string? Invalid)
{
    /// <summary>The longest key, in characters: keys are stored and shown with failures.</summary>
    private const int LongestKey = 1024;

    /// <summary>Its size in characters.</summary>
    public long Length => Values?.Sum(value => (long)(value?.Length ?? 0)) ?? 0;

    /// <param name="index">Its index in the body.</param>
    /// <param name="values">The values that could be read.</param>
    /// <param name="keyPlace">Which of them is the key.</param>
    /// <param name="fault">Why it is invalid, or null.</param>
    public static JobItem Of(long index, string?[] values, int keyPlace, string? fault)
    {
        var key = values[keyPlace];
        if (key?.Length > LongestKey)
            return new(index, null, null, fault ?? $"Its key is longer than {LongestKey} characters.");
        return new(index, key, fault is null ? values : null, fault);
    }

    /// <summary>The index only: the rest is data.</summary>
    public override string ToString() => $"item {Index}";
}
