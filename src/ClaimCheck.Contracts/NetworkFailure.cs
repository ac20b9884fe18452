using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.RegularExpressions;

namespace ClaimCheck.Contracts;

/// <summary>
/// Why an HTTP call had no answer, with advice. Names hosts and ports only: an address may contain a secret, and the
/// framework's own messages may quote one.
/// </summary>
/// <param name="Code"><see cref="Unreachable"/> or <see cref="Untrusted"/>.</param>
/// <param name="Reason">The end of a sentence, followed by advice.</param>
internal sealed partial record NetworkFailure(string Code, string Reason)
{
    public const string Unreachable = "service_unreachable";

    /// <summary>The other side answers, but can't prove its identity: nothing was sent.</summary>
    public const string Untrusted = "untrusted_certificate";

    public bool IsUntrusted => Code == Untrusted;

    /// <summary>Whether an exception, or its cause, is about the network.</summary>
    public static bool IsOf(Exception exception) =>
        Chain(exception).Any(e => e is HttpRequestException or SocketException or AuthenticationException);

    /// <param name="exception">What the client threw.</param>
    /// <param name="target">Where the call went, as far as that is known.</param>
    public static NetworkFailure Of(Exception exception, Uri? target)
    {
        var texts = string.Join('\n', Chain(exception).Select(e => e.Message));
        var error = Chain(exception).OfType<HttpRequestException>().Select(e => e.HttpRequestError)
            .FirstOrDefault(e => e != HttpRequestError.Unknown);
        if (error == HttpRequestError.ProxyTunnelError)
            return new(Unreachable, $"the proxy{Name(ProxyOf(target))} does not connect to it{Status(exception, texts)}");
        if (error == HttpRequestError.SecureConnectionError || Chain(exception).Any(e => e is AuthenticationException))
            return OfTls(texts, target);
        if (Chain(exception).OfType<SocketException>().FirstOrDefault() is { } socket
            && error is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError)
            return OfSocket(socket.SocketErrorCode, target);
        if (exception is OperationCanceledException or TimeoutException)
            return new(Unreachable, "no connection was established in time: a firewall may drop it, or the port is wrong");
        if (error is HttpRequestError.InvalidResponse or HttpRequestError.ResponseEnded or HttpRequestError.HttpProtocolError
            or HttpRequestError.VersionNegotiationError)
            return new(Unreachable, "it closed the connection, or its answer is not HTTP"
                + (target?.Scheme == "http" ? ": if it speaks TLS, the address begins with https://" : ""));
        return new(Unreachable, "the connection broke");
    }

    /// <summary>The reason with its subject, where what was called is clear.</summary>
    public string Short => IsUntrusted ? $"its certificate is not trusted: {Reason}" : Reason;

    /// <summary>The whole sentence.</summary>
    /// <param name="what">What was called: "The service at exports.example".</param>
    public string Sentence(string what) =>
        IsUntrusted
            ? $"The certificate of {char.ToLowerInvariant(what[0])}{what[1..]} is not trusted: {Reason}."
            : $"{what} can't be reached: {Reason}.";

    private static NetworkFailure OfSocket(SocketError error, Uri? target)
    {
        var proxy = ProxyOf(target);
        var name = (proxy ?? target) is { } named ? $"the name {named.Host}" : "its name";
        var who = proxy is null ? "" : $"the proxy{Name(proxy)}, which HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names: ";
        return new(Unreachable, who + error switch
        {
            SocketError.HostNotFound or SocketError.NoData => $"{name} is not known; check its spelling, and the name server",
            SocketError.TryAgain => $"{name} could not be looked up; the name server does not answer",
            SocketError.ConnectionRefused => "nothing listens there, or it refuses the connection; check the host and the port",
            SocketError.TimedOut => "it does not answer; a firewall may drop the connection, or the port is wrong",
            SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.NetworkDown =>
                "the network has no route to it",
            SocketError.ConnectionReset or SocketError.ConnectionAborted => "it closed the connection",
            _ => $"the connection failed ({error})",
        });
    }

    private static NetworkFailure OfTls(string texts, Uri? target)
    {
        var reasons = new List<string>();
        if (texts.Contains("RemoteCertificateNameMismatch", StringComparison.Ordinal))
            reasons.Add($"it is for another name than {target?.Host ?? "the one that was called"}; use the name that it is for");
        if (texts.Contains("NotTimeValid", StringComparison.Ordinal))
            reasons.Add(
                "it has expired, or is not valid yet; its operator has to renew it, unless this machine's clock is wrong");
        if (texts.Contains("UntrustedRoot", StringComparison.Ordinal) || texts.Contains("PartialChain", StringComparison.Ordinal))
            reasons.Add("its issuer is unknown here; add the issuer's certificate to those that this machine trusts, or name a "
                + "file of it in SSL_CERT_FILE");
        if (texts.Contains("Revoked", StringComparison.Ordinal))
            reasons.Add("its issuer has revoked it; its operator has to replace it");
        if (reasons.Count == 0 && Certificate().Match(texts) is { Success: true } other)
            reasons.Add($"{other.Groups["flags"].Value}; its operator has to replace it");
        if (reasons.Count > 0)
            return new(Untrusted, string.Join(". And ", reasons));
        if (NotTls().IsMatch(texts))
            return new(Unreachable, "it does not speak TLS there; if it speaks plain HTTP, the address begins with http://");
        return NoAgreement().IsMatch(texts)
            ? new(Unreachable, "the two sides have no TLS version, or no cipher, in common")
            : new(Unreachable, "it aborted the TLS handshake");
    }

    private static Uri? ProxyOf(Uri? target)
    {
        try
        {
            return target is null || HttpClient.DefaultProxy.IsBypassed(target) ? null : HttpClient.DefaultProxy.GetProxy(target);
        }
        catch (Exception e) when (e is InvalidOperationException or NotSupportedException or UriFormatException)
        {
            return null;
        }
    }

    // Without user and password.
    private static string Name(Uri? proxy) =>
        proxy is null ? "" : string.Create(CultureInfo.InvariantCulture, $" {proxy.Host}:{proxy.Port}");

    private static string Status(Exception exception, string texts)
    {
        var status = Chain(exception).OfType<HttpRequestException>().Select(e => (int?)e.StatusCode)
            .FirstOrDefault(code => code is not null)
            ?? (ProxyStatus().Match(texts) is { Success: true } found
                ? int.Parse(found.Groups["status"].Value, CultureInfo.InvariantCulture)
                : null);
        return status is null ? "" : status == (int)HttpStatusCode.ProxyAuthenticationRequired
            ? ": it answers 407, and requires a user and password in HTTPS_PROXY"
            : $": it answers {status}";
    }

    private static IEnumerable<Exception> Chain(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
            yield return exception;
    }

    [GeneratedRegex(@"certificate (is|was) [^:\n]*(: ?(?<flags>[A-Za-z, ]+))?",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Certificate();

    [GeneratedRegex("frame size|corrupted frame|wrong version number|http request", RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex NotTls();

    [GeneratedRegex("protocol version|unsupported protocol|no protocols|handshake failure|no shared cipher|insufficient security",
        RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NoAgreement();

    [GeneratedRegex("status code '(?<status>[0-9]{3})'", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex ProxyStatus();
}
