namespace ClaimCheck.Service.Http;

/// <summary>How long a caller wants to wait: <c>Prefer: wait=N</c> (RFC 7240) or <c>?wait=N</c>, at most 60 seconds.</summary>
internal static class Waiting
{
    public static readonly TimeSpan Most = TimeSpan.FromSeconds(60);

    /// <summary>Reads Prefer. A malformed preference is ignored, as the RFC says: it is neither an error nor, since it is read
    /// before anything is done, an effect without an answer.</summary>
    /// <returns>Null where no wait is asked for.</returns>
    public static TimeSpan? Preferred(HttpRequest request)
    {
        foreach (var preference in request.Headers["Prefer"].SelectMany(value => (value ?? "").Split(',')))
        {
            // The parameters of a preference follow a semicolon; wait has none. Its name is case-insensitive.
            var parts = preference.Split(';', 2)[0].Split('=', 2, StringSplitOptions.TrimEntries);
            if (parts is [var name, var text]
                && name.Equals("wait", StringComparison.OrdinalIgnoreCase)
                && SecondsOf(text is ['"', .. var quoted, '"'] ? quoted : text) is { } wait)
            {
                return wait;
            }
        }

        return null;
    }

    /// <summary>Tells the caller that the preference is honoured.</summary>
    /// <returns>How long to wait.</returns>
    public static TimeSpan Apply(HttpContext context, TimeSpan? preferred)
    {
        if (preferred is { } wait)
            context.Response.Headers["Preference-Applied"] = string.Create(
                CultureInfo.InvariantCulture, $"wait={(int)wait.TotalSeconds}");
        return preferred ?? TimeSpan.Zero;
    }

    /// <summary>Tells the caller to ask again in a second.</summary>
    public static void AskAgain(HttpContext context) => context.Response.Headers.RetryAfter = "1";

    // Digits only: parsing a number would also accept NaN, infinities, exponents. However many digits there are, 60 is the
    // maximum.
    private static TimeSpan? SecondsOf(string text) =>
        text.Length == 0 || text.AsSpan().ContainsAnyExceptInRange('0', '9') ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && seconds < Most.TotalSeconds ? TimeSpan.FromSeconds(seconds)
        : Most;

    /// <summary>Reads the query parameter; without it there is no wait.</summary>
    public static TimeSpan? Query(HttpRequest request, out ProblemResult? refusal)
    {
        refusal = null;
        if (!request.Query.TryGetValue("wait", out var text))
            return TimeSpan.Zero;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= Most.TotalSeconds)
            return TimeSpan.FromSeconds(seconds);
        refusal = Problems.Of(
            ProblemCodes.InvalidParameter, $"wait must be a whole number of seconds from 0 to {Most.TotalSeconds}.");
        return null;
    }
}
