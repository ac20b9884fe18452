using System.Net;

namespace ClaimCheck.Web;

/// <summary>
/// Who may call a service without keys: programs on this machine, but no web page of another origin. A proxy in front of
/// such a service would admit everybody, so forwarded requests are refused too.
/// </summary>
public static class LoopbackGuard
{
    // Headers that proxies add: RFC 7239, RFC 9110 (Via), and the names in use beside them.
    private static readonly string[] Forwarding = ["Forwarded", "X-Real-IP", "Via"];
    private const string ForwardingFamily = "X-Forwarded-";

    /// <summary>
    /// Whether a host, as a URL has it, is this machine only. An IPv4 address in brackets is a name to the server, not an
    /// address.
    /// </summary>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address)
            && (host.StartsWith('[')
                ? address.Equals(IPAddress.IPv6Loopback)
                : address.Equals(IPAddress.Loopback) || address.Equals(IPAddress.IPv6Loopback)));

    /// <summary>Checks a request to a service without keys.</summary>
    /// <returns>The code of the problem that refuses it, or null where it may pass.</returns>
    public static string? Refusal(HttpContext context)
    {
        var request = context.Request;
        // The connection itself, however the listening address was written.
        if (context.Connection.RemoteIpAddress is { } caller && !IPAddress.IsLoopback(caller))
            return ProblemCodes.MisdirectedRequest;
        if (!IsLoopback(request.Host.Host) || IsForwarded(request.Headers))
            return ProblemCodes.MisdirectedRequest;
        // A web page in the user's browser can reach loopback: names that resolve here (DNS rebinding), cross-site requests.
        if (request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "none" or "same-origin"))
            return ProblemCodes.ForeignOrigin;
        var origin = request.Headers.Origin.ToString();
        return origin.Length > 0
            && !string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase)
            ? ProblemCodes.ForeignOrigin
            : null;
    }

    private static bool IsForwarded(IHeaderDictionary headers) =>
        Array.Exists(Forwarding, headers.ContainsKey)
        || headers.Keys.Any(name => name.StartsWith(ForwardingFamily, StringComparison.OrdinalIgnoreCase));
}
