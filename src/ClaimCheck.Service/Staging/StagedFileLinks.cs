using System.Globalization;

namespace ClaimCheck.Service.Staging;

/// <summary>Signs and verifies links to files of the folder: <c>/staging/{key}?expires=…&amp;kid=…&amp;sig=…</c>.</summary>
internal sealed class StagedFileLinks(LinkKeys keys, TimeProvider time)
{
    public const string Root = "/staging/";

    public (string Path, DateTimeOffset ExpiresAt) Sign(string key, TimeSpan lifetime, string method = "GET")
    {
        // Rounded up to the second: never less than was promised.
        var end = (time.GetUtcNow() + lifetime).ToUnixTimeMilliseconds();
        var expires = (end + 999) / 1000;
        return ($"{Root}{key}?expires={expires}&kid={keys.NewestId}&sig={keys.Sign(Text(method, key, expires))}", DateTimeOffset.FromUnixTimeSeconds(expires));
    }

    public LinkVerdict Verify(string key, IQueryCollection query, string method = "GET")
    {
        if (query["expires"] is not [{ } expiresText] || query["kid"] is not [{ } keyId] || query["sig"] is not [{ } signature]
            || !long.TryParse(expiresText, NumberStyles.None, CultureInfo.InvariantCulture, out var expires)
            || !keys.Verify(keyId, Text(method, key, expires), signature))
        {
            return LinkVerdict.Invalid;
        }
        return time.GetUtcNow().ToUnixTimeSeconds() < expires ? LinkVerdict.Valid : LinkVerdict.Expired;
    }

    private static string Text(string method, string key, long expires) => $"{method}\n{Root}{key}\n{expires}";
}

internal enum LinkVerdict
{
    Valid,
    Invalid,
    Expired,
}
