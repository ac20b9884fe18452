using System.Net;
using System.Security.Authentication;
using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Consumer.Tests;

/// <summary>A message names the real reason, once.</summary>
public sealed class When_the_network_refuses
{
    [Theory]
    [InlineData("localhost", -10, "it has expired, or is not valid yet; its operator has to renew it, unless this machine's "
        + "clock is wrong. And its issuer is unknown here;")]
    [InlineData("localhost", -1, "its issuer is unknown here; add the issuer's certificate to those that this machine trusts, or "
        + "name a file of it in SSL_CERT_FILE.")]
    [InlineData("other.example", -1, "it is for another name than localhost; use the name that it is for.")]
    public async Task A_certificate_that_is_not_trusted_is_told_as_that_and_why(string name, int from, string why)
    {
        await using var server = RawListener.WithCertificate(name, from);
        using var client = new ClaimCheckClient(new Uri($"https://localhost:{server.Port}"));

        var failure = await Assert.ThrowsAsync<ServiceUnavailableException>(() => client.GetDatasetsAsync());

        Assert.Equal("untrusted_certificate", failure.Code);
        Assert.StartsWith($"The certificate of the service at localhost:{server.Port} is not trusted: ", failure.Message,
            StringComparison.Ordinal);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
        // It will not be another one a moment later.
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task Each_other_way_that_a_connection_fails_is_told_by_its_reason()
    {
        var answering = RawListener.Answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        await using (answering)
            Assert.Contains("does not speak TLS there; if it speaks plain HTTP, the address begins with http://.",
                await TextAsync($"https://localhost:{answering.Port}"), StringComparison.Ordinal);
        // Nobody listens there any more.
        Assert.Contains("nothing listens there, or it refuses the connection",
            await TextAsync($"http://localhost:{answering.Port}"), StringComparison.Ordinal);
        await using (var tls = RawListener.WithCertificate("localhost", -1))
            Assert.Contains("if it speaks TLS, the address begins with https://.",
                await TextAsync($"http://localhost:{tls.Port}"), StringComparison.Ordinal);
        await using (var noise = RawListener.Answering("\u0015\u0003\u0001 nothing\r\n\r\n"))
            Assert.Contains(
                "its answer is not HTTP", await TextAsync($"http://localhost:{noise.Port}"), StringComparison.Ordinal);
        Assert.Matches(
            "the name nowhere.invalid (is not known|could not be looked up)", await TextAsync("http://nowhere.invalid"));
    }

    [Fact]
    public void What_can_not_be_met_here_is_told_by_what_the_framework_says()
    {
        var at = new Uri("https://exports.example");
        Assert.Contains("the two sides have no TLS version, or no cipher, in common", Reason(
            HttpRequestError.SecureConnectionError, new AuthenticationException(
                "Authentication failed, see inner exception.",
                new IOException("error:0A00042E:SSL routines::tlsv1 alert protocol version"))), StringComparison.Ordinal);
        Assert.Contains("its issuer has revoked it", Reason(HttpRequestError.SecureConnectionError, new AuthenticationException(
            "The remote certificate is invalid because of errors in the certificate chain: Revoked")), StringComparison.Ordinal);
        Assert.Contains("is not trusted: NotSignatureValid; its operator has to replace it.", Reason(
            HttpRequestError.SecureConnectionError, new AuthenticationException(
                "The remote certificate is invalid because of errors in the "
                + "certificate chain: NotSignatureValid")), StringComparison.Ordinal);
        Assert.Contains("does not connect to it: it answers 407, and requires a user and password", Reason(
            HttpRequestError.ProxyTunnelError, null, HttpStatusCode.ProxyAuthenticationRequired), StringComparison.Ordinal);
        Assert.Contains(
            "no connection was established in time",
            NetworkFailure.Of(new TaskCanceledException("", new TimeoutException()), at).Sentence("The service"),
            StringComparison.Ordinal);

        string Reason(HttpRequestError error, Exception? inner, HttpStatusCode? status = null) =>
            NetworkFailure.Of(new HttpRequestException(error, "No.", inner, status), at).Sentence("The service");
    }

    [Fact]
    public async Task A_link_whose_host_is_not_trusted_or_away_is_told_as_that_without_the_link()
    {
        await using var tls = RawListener.WithCertificate("localhost", -1);
        var batch = Order.Batch(1);
        await using var server = await StagingServer.StartAsync(batch);
        var manifest = batch.Manifest($"https://localhost:{tls.Port}", "secret");
        using var client = server.Client();
        using var reader = new BatchReader(
            client, new BatchReaderOptions { AllowedLinkHosts = ["localhost"], MaxAttempts = 2, RetryDelay = TimeSpan.Zero });

        var failure = await Assert.ThrowsAsync<DownloadFailedException>(async () =>
        {
            await foreach (var _ in reader.ReadRecordsAsync(manifest))
                Assert.Fail("It was read.");
        });

        Assert.Contains($"the certificate of localhost:{tls.Port} is not trusted: its issuer is unknown here;", failure.Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }

    private static async Task<string> TextAsync(string address)
    {
        using var client = new ClaimCheckClient(new ClaimCheckClientOptions { BaseAddress = new Uri(address), MaxAttempts = 1 });
        var failure = await Assert.ThrowsAsync<ServiceUnavailableException>(() => client.GetDatasetsAsync());
        Assert.Equal("service_unreachable", failure.Code);
        return failure.Message;
    }
}
