using System.Globalization;
using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Hosting;

/// <summary>How long a caller wants to wait: <c>Prefer: wait=N</c> (RFC 7240) or <c>?wait=N</c>, at most 60 seconds.</summary>
internal static class Waiting
{
    public static readonly TimeSpan Most = TimeSpan.FromSeconds(60);

    /// <summary>Reads Prefer, and echoes what is honoured. A malformed preference is ignored, as the RFC says.</summary>
    public static TimeSpan Preferred(HttpContext context)
    {
        foreach (var preference in context.Request.Headers["Prefer"].SelectMany(value => (value ?? "").Split(',')))
        {
            // What follows a semicolon are the preference's own parameters; wait has none. Its name has no case.
            var parts = preference.Split(';', 2)[0].Split('=', 2, StringSplitOptions.TrimEntries);
            if (parts is [var name, var text]
                && name.Equals("wait", StringComparison.OrdinalIgnoreCase)
                && double.TryParse(text.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            {
                var wait = TimeSpan.FromSeconds(Math.Min(seconds, Most.TotalSeconds));
                context.Response.Headers["Preference-Applied"] = $"wait={(int)wait.TotalSeconds}";
                return wait;
            }
        }

        return TimeSpan.Zero;
    }

    /// <summary>Reads the query parameter; left out means not to wait.</summary>
    public static TimeSpan? Query(HttpRequest request, out ProblemResult? refusal)
    {
        refusal = null;
        if (!request.Query.TryGetValue("wait", out var text))
            return TimeSpan.Zero;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= Most.TotalSeconds)
            return TimeSpan.FromSeconds(seconds);
        refusal = Problems.Of(ProblemCodes.InvalidParameter, $"wait must be a whole number of seconds from 0 to {Most.TotalSeconds}.");
        return null;
    }
}
