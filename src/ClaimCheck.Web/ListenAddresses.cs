using System.Net;

namespace ClaimCheck.Web;

/// <summary>Why a service must not listen where it was configured to: the message is for the operator.</summary>
public sealed class UnsafeAddressException(string message) : Exception(message);

/// <summary>
/// Where a service may listen. Without a key: on loopback only. With one: beyond loopback by https, or behind a proxy that
/// ends TLS, since a key sent in plain text can be read by everybody on the way.
/// </summary>
/// <param name="Who">"The service", or another listener, for the operator.</param>
/// <param name="HasKey">Whether callers need a key.</param>
/// <param name="IsBehindTls">Whether the operator states that a proxy in front of the service ends TLS.</param>
/// <param name="KeySetting">The setting that makes a key required.</param>
/// <param name="TlsSetting">The setting that states that TLS ends in front of the service.</param>
public sealed record ListenAddresses(string Who, bool HasKey, bool IsBehindTls, string KeySetting, string TlsSetting)
{
    /// <summary>Checks the addresses of the configuration, before any of them is bound.</summary>
    /// <exception cref="UnsafeAddressException">The service must not start.</exception>
    public void Check(IEnumerable<string> addresses)
    {
        foreach (var address in addresses)
        {
            var parsed = Parse(address);
            if (parsed.IsUnixPipe || parsed.IsNamedPipe || LoopbackGuard.IsLoopback(parsed.Host))
                continue;
            if (!HasKey)
                throw Keyless(address);
            if (parsed.Scheme == "http" && !IsBehindTls)
            {
                throw new UnsafeAddressException(
                    $"{Who} would listen on {address}, and keys would cross the network in plain text: listen on https, or on "
                    + $"http://127.0.0.1, or set {TlsSetting}=true where a proxy in front of it ends TLS.");
            }
        }
    }

    /// <summary>
    /// Checks a socket address that the server is about to bind. This check is decisive: a server reads some addresses
    /// differently than they look (http://[127.0.0.1]:8080 is every interface).
    /// </summary>
    /// <exception cref="UnsafeAddressException">The service must not listen there.</exception>
    public void CheckBound(EndPoint endPoint)
    {
        var isLocal = endPoint switch
        {
            IPEndPoint ip => IPAddress.IsLoopback(ip.Address),
            System.Net.Sockets.UnixDomainSocketEndPoint => true,
            _ => false,
        };
        if (!HasKey && !isLocal)
            throw Keyless($"{endPoint}");
    }

    /// <summary>
    /// The addresses that the server is going to listen on, from all configuration sources; the default where there are none.
    /// </summary>
    public static IReadOnlyList<string> Of(WebApplication app, string defaultUrl)
    {
        var configuration = app.Configuration;
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"])
            .OfType<string>().ToList();
        var urls = Split(configuration["urls"]);
        if (urls.Count == 0)
            urls = [.. Split(configuration["http_ports"]).Select(port => $"http://*:{port}"),
                .. Split(configuration["https_ports"]).Select(port => $"https://*:{port}")];
        if (urls.Count == 0 && endpoints.Count == 0)
        {
            app.Urls.Add(defaultUrl);
            return [defaultUrl];
        }

        return [.. urls, .. endpoints];

        static List<string> Split(string? list) =>
            [.. (list ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
    }

    private UnsafeAddressException Keyless(string address) => new(
        $"{Who} would listen on {address} without a key, where others could call it: set {KeySetting}, or listen on "
        + "http://127.0.0.1 alone.");

    private BindingAddress Parse(string address)
    {
        try
        {
            if (BindingAddress.Parse(address) is { Scheme: "http" or "https" } parsed)
                return parsed;
        }
        catch (FormatException)
        {
            // Reported below, as for an unsupported scheme.
        }

        throw new UnsafeAddressException($"{Who} can't listen on {address}: write the address as http://127.0.0.1:8080.");
    }
}
