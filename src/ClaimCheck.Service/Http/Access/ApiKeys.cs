namespace ClaimCheck.Service.Http.Access;

/// <summary>Who may call. With <c>ClaimCheck:AdminKey</c> every call needs it except health, problems, OpenAPI and signed links.
/// Without one, every caller is the administrator, and the service answers on loopback only, and to no web page of another
/// origin.</summary>
internal sealed class ApiKeys(IConfiguration configuration, RequestDelegate next)
{
    public const int ShortestKey = 32;
    private static readonly string[] Open = ["/health", "/openapi", "/problems", "/staging"];
    private readonly byte[]? adminKey = Hash(configuration["ClaimCheck:AdminKey"]);

    /// <summary>Refuses settings that would leave the service open to others.</summary>
    public static void Check(IConfiguration configuration)
    {
        var key = configuration["ClaimCheck:AdminKey"];
        if (!string.IsNullOrEmpty(key) && key.Length < ShortestKey)
        {
            throw new StartupException(
                $"ClaimCheck:AdminKey has {key.Length} characters, but must have {ShortestKey} or more: "
                + "shorter keys can be guessed.");
        }
    }

    /// <summary>The addresses that the service may listen on with the keys that it has.</summary>
    public static ListenAddresses Addresses(IConfiguration configuration) => new(
        Who: "The service",
        HasKey: !string.IsNullOrEmpty(configuration["ClaimCheck:AdminKey"]),
        IsBehindTls: string.Equals(configuration["ClaimCheck:BehindTls"], bool.TrueString, StringComparison.OrdinalIgnoreCase),
        KeySetting: $"ClaimCheck:AdminKey ({ShortestKey} characters or more)",
        TlsSetting: "ClaimCheck:BehindTls");

    public async Task InvokeAsync(HttpContext context)
    {
        if (await RefusalAsync(context) is { } refusal)
        {
            await refusal.ExecuteAsync(context);
            return;
        }

        await next(context);
    }

    private ValueTask<ProblemResult?> RefusalAsync(HttpContext context)
    {
        var request = context.Request;
        if (adminKey is null && LoopbackGuard.Refusal(context) is { } foreign)
            return new(Problems.Of(foreign));
        if (Open.Any(path => request.Path.StartsWithSegments(path, StringComparison.Ordinal)))
            return new((ProblemResult?)null);
        if (adminKey is not null && !IsAdmin(request))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"claimcheck\"";
            return new(Problems.Of(ProblemCodes.Unauthorized));
        }

        if (Caller.Admin(request) is not { } caller)
            return new(Problems.Of(ProblemCodes.InvalidRequest, $"{Caller.ConsumerHeader} must be up to 64 letters, digits, "
                + "dots, dashes and underscores, and not a name that the service uses itself (administrator, claimcheck)."));
        context.Items[typeof(Caller)] = caller;
        return new((ProblemResult?)null);
    }

    private bool IsAdmin(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        const string scheme = "Bearer ";
        return header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Hash(header[scheme.Length..].Trim()), adminKey);
    }

    private static byte[]? Hash(string? key) =>
        string.IsNullOrEmpty(key) ? null : SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
