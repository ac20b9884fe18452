namespace ClaimCheck.Adapter.Http;

/// <summary>When a caller that waits for something asks again.</summary>
internal sealed record AskAgain(TimeSpan After)
{
    /// <summary>Says so in the answer.</summary>
    public void Tell(HttpContext context) =>
        context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(After.TotalSeconds))
            .ToString(CultureInfo.InvariantCulture);
}
