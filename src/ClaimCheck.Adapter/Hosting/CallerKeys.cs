using System.Net;
using System.Security.Cryptography;
using System.Text;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Hosting;

/// <summary>Who calls: the name of the key.</summary>
internal sealed record Caller(string Name)
{
    /// <summary>Whoever calls where there are no keys.</summary>
    public static Caller Anyone { get; } = new("anyone");

    public static ValueTask<Caller> BindAsync(HttpContext context) =>
        ValueTask.FromResult((Caller?)context.Items[typeof(Caller)] ?? throw new InvalidOperationException("The caller was not authenticated."));
}

/// <summary>
/// Who may call. With keys every call but health needs one; without any everyone may, and the adapter therefore serves loopback
/// alone, and no web page of another origin.
/// </summary>
internal sealed class CallerKeys(AdapterSettings settings, RequestDelegate next)
{
    private readonly List<(string Name, byte[] Hash)> keys = [.. settings.ApiKeys.Select(each => (each.Key, Hash(each.Value)))];

    /// <exception cref="SettingsException">It would listen beyond loopback without a key.</exception>
    public static void CheckAddresses(AdapterSettings settings, IEnumerable<string> addresses)
    {
        foreach (var address in addresses)
        {
            if (BindingAddressOf(address) is not { } parsed)
                throw new SettingsException($"The adapter can't listen on {address}: write the address as http://127.0.0.1:8090.");
            if (settings.ApiKeys.Count == 0 && !IsLoopback(parsed.Host))
            {
                throw new SettingsException(
                    $"The adapter would listen on {address} without a key, where others could call it: set Adapter:ApiKeys:<name> "
                    + $"({SettingsReader.ShortestKey} characters or more), or listen on http://127.0.0.1 alone.");
            }
        }
    }

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
            context.Items[typeof(Caller)] = Caller.Anyone;
            return ForeignRefusal(request);
        }

        if (request.Path.StartsWithSegments("/health", StringComparison.Ordinal))
            return null;
        if (CallerOf(request) is not { } caller)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"claimcheck-adapter\"";
            return Problems.Of(ProblemCodes.Unauthorized);
        }

        context.Items[typeof(Caller)] = caller;
        return null;
    }

    // A web page in the user's browser can reach loopback: names that resolve here (DNS rebinding), cross-site requests.
    private static ProblemResult? ForeignRefusal(HttpRequest request)
    {
        if (!IsLoopback(request.Host.Host))
            return Problems.Of(ProblemCodes.MisdirectedRequest);
        var origin = request.Headers.Origin.ToString();
        return request.Headers["Sec-Fetch-Site"].ToString() == "cross-site"
            || (origin.Length > 0 && !origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase))
            ? Problems.Of(ProblemCodes.ForeignOrigin)
            : null;
    }

    private Caller? CallerOf(HttpRequest request)
    {
        const string scheme = "Bearer ";
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        var given = Hash(header[scheme.Length..].Trim());
        Caller? found = null;
        foreach (var (name, hash) in keys) // all of them: how long it takes tells nothing
        {
            if (CryptographicOperations.FixedTimeEquals(given, hash))
                found = new(name);
        }

        return found;
    }

    private static BindingAddress? BindingAddressOf(string address)
    {
        try
        {
            return BindingAddress.Parse(address) is { Scheme: "http" or "https" } parsed ? parsed : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && (address.Equals(IPAddress.Loopback) || address.Equals(IPAddress.IPv6Loopback)));

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
