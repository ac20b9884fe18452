namespace ClaimCheck.Aws;

/// <summary>
/// The proxy of the machine (<c>HTTP_PROXY</c>, <c>HTTPS_PROXY</c>, <c>ALL_PROXY</c>, <c>NO_PROXY</c>, or what a program set as
/// <see cref="HttpClient.DefaultProxy"/>), as the AWS SDK uses it; but never for loopback, which would be the proxy's own
/// machine.
/// </summary>
public sealed class SystemProxy : IWebProxy
{
    private SystemProxy()
    {
    }

    /// <summary>The instance that all connections to S3, SNS, SQS and the service share.</summary>
    public static SystemProxy Instance { get; } = new();

    /// <summary>The credentials in the proxy's own address.</summary>
    public ICredentials? Credentials
    {
        get => HttpClient.DefaultProxy.Credentials;
        set => throw new NotSupportedException("The machine's proxy has its own credentials.");
    }

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return IsLoopback(destination) ? null : HttpClient.DefaultProxy.GetProxy(destination);
    }

    /// <inheritdoc/>
    public bool IsBypassed(Uri host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return IsLoopback(host) || HttpClient.DefaultProxy.IsBypassed(host);
    }

    // RFC 6761, 6.3: localhost and what is below it are loopback, whatever a resolver says.
    private static bool IsLoopback(Uri address)
    {
        var host = address.IdnHost.TrimEnd('.');
        return IPAddress.TryParse(host, out var literal)
            ? IPAddress.IsLoopback(literal.IsIPv4MappedToIPv6 ? literal.MapToIPv4() : literal)
            : host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
                || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
    }
}
