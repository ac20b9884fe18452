namespace ClaimCheck.Web;

/// <summary>The header <c>Idempotency-Key</c>, bare or as a quoted string.</summary>
public static class IdempotencyKey
{
    private const int Longest = 255;

    /// <returns>The refusal of a malformed key, else null.</returns>
    public static ProblemResult? Read(HttpRequest request, out string? key)
    {
        key = null;
        if (!request.Headers.TryGetValue("Idempotency-Key", out var values))
            return null;
        var text = values.Count == 1 ? values.ToString() : "";
        if (text is ['"', _, .., '"'])
            text = text[1..^1];
        if (text.Length is 0 or > Longest || text.Any(c => c is < ' ' or > '~' or '"' or '\\'))
            return Problems.Of(ProblemCodes.InvalidIdempotencyKey);
        key = text;
        return null;
    }
}
