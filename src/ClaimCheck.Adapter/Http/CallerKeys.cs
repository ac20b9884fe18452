namespace ClaimCheck.Adapter.Http;

/// <summary>
/// Who may call. With keys every call but health needs one; without any, everyone may, and the adapter therefore listens on
/// loopback only, and does not answer web pages of another origin.
/// </summary>
internal sealed class CallerKeys(AccessRules access, RequestDelegate next)
{
    private readonly List<(string Name, byte[] Hash)> keys = [.. access.ApiKeys.Select(each => (each.Key, Hash(each.Value)))];

    public async Task InvokeAsync(HttpContext context)
    {
        if (Refusal(context) is { } refusal)
            await refusal.ExecuteAsync(context);
        else
            await next(context);
    }

    private ProblemResult? Refusal(HttpContext context)
    {
        var request = context.Request;
        if (keys.Count == 0)
        {
            context.Items[typeof(ApiCaller)] = ApiCaller.Anyone;
            return LoopbackGuard.Refusal(context) is { } foreign ? Problems.Of(foreign) : null;
        }

        if (request.Path.StartsWithSegments("/health", StringComparison.Ordinal))
            return null;
        if (CallerOf(request) is not { } caller)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"claimcheck-adapter\"";
            return Problems.Of(ProblemCodes.Unauthorized);
        }

        context.Items[typeof(ApiCaller)] = caller;
        return null;
    }

    private ApiCaller? CallerOf(HttpRequest request)
    {
        const string scheme = "Bearer ";
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        var given = Hash(header[scheme.Length..].Trim());
        ApiCaller? found = null;
        foreach (var (name, hash) in keys) // compares all of them: the time that it takes reveals nothing
        {
            if (CryptographicOperations.FixedTimeEquals(given, hash))
                found = new(name);
        }

        return found;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
