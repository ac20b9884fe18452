using System.Net;
using System.Net.Sockets;
using ClaimCheck.Service.Publishing.Webhooks;

namespace ClaimCheck.Service.Tests.Publishing.Webhooks;

/// <summary>Through a proxy, which resolves names, webhooks reach into the operator's own network no more
/// than without one.</summary>
public sealed class A_proxy_for_webhooks
{
    [Theory]
    [InlineData("https://10.0.0.1/")]
    [InlineData("https://10.1/")]
    [InlineData("https://167772161/")]
    [InlineData("https://012.0.0.1/")]
    [InlineData("https://0xA000001/")]
    [InlineData("https://10.0.0.1./")]
    [InlineData("https://10.0.0.1../")]
    [InlineData("https://10.0.0.256/")]
    [InlineData("https://1.2.3.4.5/")]
    [InlineData("https://hooks.0x1/")]
    [InlineData("https://10%2e0.0.1/")]
    [InlineData("https://10。0。0。1/")]
    [InlineData("https://[::ffff:10.0.0.1]/")]
    [InlineData("https://[::10.0.0.1]/")]
    [InlineData("https://[64:ff9b::10.0.0.1]/")]
    [InlineData("https://[fe80::1%25eth0]/")]
    [InlineData("https://[fd00::1]:8443/")]
    [InlineData("https://169.254.169.254/")]
    [InlineData("https://localhost/")]
    [InlineData("https://a.LocalHost./")]
    public async Task A_proxy_is_never_asked_for_a_private_address_in_whatever_writing(string endpoint)
    {
        var addresses = Addresses_of_webhooks.Addresses(
            (_, _) => throw new InvalidOperationException("The proxy resolves."), new() { Proxy = "http://10.0.0.9:3128" });

        Assert.NotNull((await addresses.CheckAsync(endpoint, default)).Error);
        if (Uri.TryCreate(endpoint, UriKind.Absolute, out var address))
            Assert.Throws<BlockedAddressException>(() => addresses.ThrowIfBlocked(address));
    }

    [Theory]
    [InlineData("https://hooks.internal/x")]
    [InlineData("https://93.184.215.14/x")]
    [InlineData("https://[2606:4700::1111]/x")]
    [InlineData("https://10.0.0.1.example/x")]
    public async Task A_proxy_resolves_names_and_its_own_address_may_be_private(string endpoint)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var addresses = Addresses_of_webhooks.Addresses(
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]),
            new() { Proxy = $"http://user:password@{listener.LocalEndpoint}" });

        var (normal, warnings, error) = await addresses.CheckAsync(endpoint, default);
        Assert.Equal((endpoint, 0, null), (normal, warnings.Length, error));
        addresses.ThrowIfBlocked(new Uri(endpoint));
        await using var stream = await addresses.ConnectAsync(
            new DnsEndPoint("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port), default);
        // Nothing else there.
        await Assert.ThrowsAsync<BlockedAddressException>(
            async () => await addresses.ConnectAsync(new DnsEndPoint("127.0.0.1", 22), default));
    }

    [Theory]
    [InlineData("http://proxy:3128", true)]
    [InlineData("http://user:p%40ss@[::1]:3128/", true)]
    [InlineData("https://proxy", true)]
    [InlineData("", false)]
    [InlineData("proxy:3128", false)]
    [InlineData("socks5://proxy", false)]
    [InlineData("http://user:t0p-secret@proxy/path", false)]
    [InlineData("http://user:t0p-secret@", false)]
    public void A_proxy_that_can_not_be_used_is_refused_without_telling_its_password(string proxy, bool isFine)
    {
        var problems = new WebhookOptions { Proxy = proxy }.Validate(new(this)).Select(problem => problem.ErrorMessage!).ToList();

        Assert.Equal(isFine, problems.Count == 0);
        Assert.All(problems, problem => Assert.DoesNotContain("t0p-secret", problem, StringComparison.Ordinal));
    }
}
