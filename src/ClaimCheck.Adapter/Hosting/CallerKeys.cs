using System.Security.Cryptography;
using System.Text;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Contracts;
using ClaimCheck.Web;

namespace ClaimCheck.Adapter.Hosting;

/// <summary>The caller: the name of its key.</summary>
internal sealed record Caller(string Name)
{
    /// <summary>The caller where there are no keys.</summary>
    public static Caller Anyone { get; } = new("anyone");

    public static ValueTask<Caller> BindAsync(HttpContext context) =>
        ValueTask.FromResult((Caller?)context.Items[typeof(Caller)] ?? throw new InvalidOperationException("The caller was not authenticated."));
}

/// <summary>
/// Who may call. With keys every call but health needs one; without any, everyone may, and the adapter therefore listens on
/// loopback only, and does not answer web pages of another origin.
/// </summary>
internal sealed class CallerKeys(AdapterSettings settings, RequestDelegate next)
{
    private readonly List<(string Name, byte[] Hash)> keys = [.. settings.ApiKeys.Select(each => (each.Key, Hash(each.Value)))];

    /// <summary>The addresses that the adapter may listen on with the keys that it has.</summary>
    public static ListenAddresses Addresses(AdapterSettings settings) => new(
        Who: "The adapter",
        HasKey: settings.ApiKeys.Count > 0,
        IsBehindTls: settings.BehindTls,
        KeySetting: $"Adapter:ApiKeys:<name> ({SettingsReader.ShortestKey} characters or more)",
        TlsSetting: "Adapter:BehindTls");

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
            return LoopbackGuard.Refusal(context) is { } foreign ? Problems.Of(foreign) : null;
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

    private Caller? CallerOf(HttpRequest request)
    {
        const string scheme = "Bearer ";
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        var given = Hash(header[scheme.Length..].Trim());
        Caller? found = null;
        foreach (var (name, hash) in keys) // compares all of them: the time that it takes reveals nothing
        {
            if (CryptographicOperations.FixedTimeEquals(given, hash))
                found = new(name);
        }

        return found;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
