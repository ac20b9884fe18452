using System.Net.Sockets;

namespace ClaimCheck.Service.Publishing.Webhooks;

/// <summary>Resolves a name.</summary>
internal delegate Task<IPAddress[]> ResolveHost(string host, CancellationToken cancellationToken);

/// <summary>A name leads to an address that webhooks may not be sent to.</summary>
internal sealed class BlockedAddressException() : IOException("The endpoint's name leads to an address that is not public.");

/// <summary>Keeps webhooks out of the operator's own network: checked at creation, and again at each connection, which is made to
/// the very address that was checked, so that a name which changes its answer gains nothing. Where a proxy is set, it resolves
/// names and decides where they may lead; literal addresses are still checked here.</summary>
internal sealed class WebhookAddresses(ResolveHost resolve, ConnectionRace race, WebhookOptions options)
{
    private const int LongestEndpoint = 2000;
    private static readonly TimeSpan LookUp = TimeSpan.FromSeconds(3);

    /// <summary>Checks an address against the rules.</summary>
    /// <returns>The address as it is stored, and warnings; or the reason of the refusal.</returns>
    public async Task<(string? Normal, string[] Warnings, string? Error)> CheckAsync(
        string endpoint, CancellationToken cancellationToken)
    {
        if (endpoint.Length > LongestEndpoint || !Uri.TryCreate(endpoint, UriKind.Absolute, out var address)
            || address.Host.Length == 0
            || address.Scheme is not ("https" or "http") || address.AbsoluteUri.Length > LongestEndpoint || !IsHost(address))
        {
            return (null, [], $"Must be an absolute https address of at most {LongestEndpoint} characters.");
        }

        if (address.UserInfo.Length > 0 || address.Fragment.Length > 0)
            return (null, [], "Must contain neither a user's name or password, nor a fragment.");
        if (options.AllowPrivateAddresses)
            return (address.AbsoluteUri, [], null);
        if (address.Scheme != "https")
            return (null, [], "Must be https: what is sent holds links.");

        const string special = "Must not lead to a private, loopback, link-local or otherwise special address "
            + "(ClaimCheck:Webhooks:AllowPrivateAddresses).";
        if (IsBlocked(address))
            return (null, [], special);
        if (options.Proxy is not null)
            return (address.AbsoluteUri, [], null);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LookUp);
        try
        {
            var all = await FindAsync(address.IdnHost, limit.Token);
            return Array.TrueForAll(all, AddressRanges.IsPublic) ? (address.AbsoluteUri, [], null) : (null, [], special);
        }
        catch (Exception e) when (e is SocketException or ArgumentException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // It may exist tomorrow; each connection checks again.
            return (address.AbsoluteUri, ["The endpoint's name can't be resolved at present."], null);
        }
    }

    /// <summary>Checks an address before anything is sent there through a proxy, which would not tell where it leads.</summary>
    /// <exception cref="BlockedAddressException">Webhooks may not be sent to it, whatever a name leads to.</exception>
    public void ThrowIfBlocked(Uri address)
    {
        if (!options.AllowPrivateAddresses && IsBlocked(address))
            throw new BlockedAddressException();
    }

    /// <summary>Connects for <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <exception cref="BlockedAddressException">The name has no public address.</exception>
    /// <exception cref="SocketException">It has no address at all, or none that answers.</exception>
    public async ValueTask<Stream> ConnectAsync(DnsEndPoint endpoint, CancellationToken cancellationToken)
    {
        var all = await FindAsync(endpoint.Host, cancellationToken);
        var allowed = options.AllowPrivateAddresses || IsProxy(endpoint) ? all : Array.FindAll(all, AddressRanges.IsPublic);
        if (allowed.Length == 0)
            throw all.Length > 0 ? new BlockedAddressException() : new SocketException((int)SocketError.HostNotFound);
        return await race.ConnectAsync(allowed, endpoint.Port, cancellationToken);
    }

    // The operator's own choice: it usually has a private address.
    private bool IsProxy(DnsEndPoint endpoint) => options.ProxyAddress is { } proxy
        && endpoint.Port == proxy.Port
        && endpoint.Host.Trim('[', ']').Equals(proxy.IdnHost.Trim('[', ']'), StringComparison.OrdinalIgnoreCase);

    // What is an address, or would be parsed as one somewhere: a host whose last label is a number is not a name.
    private static bool IsBlocked(Uri address)
    {
        var host = address.IdnHost.Trim('[', ']').TrimEnd('.');
        return IsLocal(host) || (IPAddress.TryParse(host, out var literal)
            ? !AddressRanges.IsPublic(literal)
            : host.Contains(':', StringComparison.Ordinal)
                || host[(host.LastIndexOf('.') + 1)..] is var last && (last.Length == 0 || char.IsAsciiDigit(last[0])));
    }

    private async Task<IPAddress[]> FindAsync(string host, CancellationToken cancellationToken) =>
        IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? [literal] : await resolve(host, cancellationToken);

    // RFC 6761, 6.3: always loopback, whatever a resolver says.
    private static bool IsLocal(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    private static bool IsHost(Uri address) =>
        address.HostNameType is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6;
}
