namespace ClaimCheck.Service.Staging;

/// <summary>Signs and verifies links to files of the folder: <c>/staging/{key}?expires=…&amp;kid=…&amp;sig=…</c>.</summary>
internal sealed class StagedFileLinks(LinkKeys keys, TimeProvider time)
{
    public const string Root = "/staging/";
    private const int Parameters = 3;

    public (string Path, DateTimeOffset ExpiresAt) Sign(string key, TimeSpan lifetime, string method = "GET")
    {
        // Rounded up to the second: never less than was promised.
        var end = (time.GetUtcNow() + lifetime).ToUnixTimeMilliseconds();
        var expires = (end + 999) / 1000;
        return ($"{Root}{key}?expires={expires}&kid={keys.NewestId}&sig={keys.Sign(Text(method, key, expires))}",
            DateTimeOffset.FromUnixTimeSeconds(expires));
    }

    /// <summary>Verifies a link. A link to GET also allows HEAD, which its holder may see anyway; other methods must match
    /// exactly.</summary>
    /// <param name="key">What it leads to.</param>
    /// <param name="query">The link's own query: S3 signs all of it, so one with another parameter is not the link that was
    /// minted.</param>
    /// <param name="method">The method of the request.</param>
    public LinkVerdict Verify(string key, IQueryCollection query, string method)
    {
        if (query.Count != Parameters || query["expires"] is not [{ } expiresText] || query["kid"] is not [{ } keyId]
            || query["sig"] is not [{ } signature]
            || !long.TryParse(expiresText, NumberStyles.None, CultureInfo.InvariantCulture, out var expires)
            || !(IsSigned(method) || (HttpMethods.IsHead(method) && IsSigned(HttpMethods.Get))))
        {
            return LinkVerdict.Invalid;
        }

        return time.GetUtcNow().ToUnixTimeSeconds() < expires ? LinkVerdict.Valid : LinkVerdict.Expired;

        bool IsSigned(string by) => keys.Verify(keyId, Text(by, key, expires), signature);
    }

    private static string Text(string method, string key, long expires) => $"{method}\n{Root}{key}\n{expires}";
}

internal enum LinkVerdict
{
    Valid,
    Invalid,
    Expired,
}
