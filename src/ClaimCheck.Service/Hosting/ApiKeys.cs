using System.Net;
using System.Security.Cryptography;
using System.Text;
using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Hosting;

/// <summary>
/// Who may call. With <c>ClaimCheck:AdminKey</c> every call but health, problems, OpenAPI and signed links needs it. Without
/// one every caller is the administrator, and the service answers loopback only, and no web page of another origin.
/// </summary>
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
                $"ClaimCheck:AdminKey has {key.Length} characters, but must have {ShortestKey} or more: shorter keys can be guessed.");
        }
    }

    /// <summary>Refuses to listen beyond loopback without a key. Called with the addresses before any of them is bound.</summary>
    public static void CheckAddresses(IConfiguration configuration, IEnumerable<string> addresses)
    {
        var hasKey = !string.IsNullOrEmpty(configuration["ClaimCheck:AdminKey"]);
        foreach (var address in addresses)
        {
            var host = Parse(address).Host;
            if (!hasKey && !IsLoopback(host))
            {
                throw new StartupException(
                    $"The service would listen on {address} without a key, where others could call it: " +
                    $"set ClaimCheck:AdminKey ({ShortestKey} characters or more), or listen on http://127.0.0.1 alone.");
            }
        }
    }

    private static BindingAddress Parse(string address)
    {
        try
        {
            if (BindingAddress.Parse(address) is { Scheme: "http" or "https" } parsed)
                return parsed;
        }
        catch (FormatException)
        {
        }

        throw new StartupException($"The service can't listen on {address}: write the address as http://127.0.0.1:8080.");
    }

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
        if (adminKey is null && LoopbackRefusal(request) is { } foreign)
            return new(foreign);
        if (Open.Any(path => request.Path.StartsWithSegments(path, StringComparison.Ordinal)))
            return new((ProblemResult?)null);
        if (adminKey is not null && !IsAdmin(request))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"claimcheck\"";
            return new(Problems.Of(ProblemCodes.Unauthorized));
        }

        if (Caller.Admin(request) is not { } caller)
            return new(Problems.Of(ProblemCodes.InvalidRequest, $"{Caller.ConsumerHeader} must be up to 64 letters, digits, dots, dashes and underscores."));
        context.Items[typeof(Caller)] = caller;
        return new((ProblemResult?)null);
    }

    // A web page in the user's browser can reach loopback: names that resolve here (DNS rebinding), cross-site requests.
    private static ProblemResult? LoopbackRefusal(HttpRequest request)
    {
        if (!IsLoopback(request.Host.Host))
            return Problems.Of(ProblemCodes.MisdirectedRequest);
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site == "cross-site")
            return Problems.Of(ProblemCodes.ForeignOrigin);
        var origin = request.Headers.Origin.ToString();
        if (origin.Length > 0 && !string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase))
            return Problems.Of(ProblemCodes.ForeignOrigin);
        return null;
    }

    private bool IsAdmin(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        const string scheme = "Bearer ";
        return header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Hash(header[scheme.Length..].Trim()), adminKey);
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address)
            && (address.Equals(IPAddress.Loopback) || address.Equals(IPAddress.IPv6Loopback)));

    private static byte[]? Hash(string? key) =>
        string.IsNullOrEmpty(key) ? null : SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
