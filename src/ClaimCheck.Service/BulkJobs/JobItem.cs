namespace ClaimCheck.Service.BulkJobs;

/// <summary>One item of a job.</summary>
/// <param name="Index">Its place in the body, from 0.</param>
/// <param name="Key">What names it; null where that could not be read.</param>
/// <param name="Values">In the order of the operation's parameters, as the text that Postgres reads; null where the item is invalid.</param>
/// <param name="Invalid">Why it does not fit, without its values; null where it does.</param>
internal sealed record JobItem(long Index, string? Key, string?[]? Values, string? Invalid)
{
    /// <summary>The index alone: the rest is data.</summary>
    public override string ToString() => $"item {Index}";
}
