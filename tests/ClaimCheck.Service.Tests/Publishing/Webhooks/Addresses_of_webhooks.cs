using System.Net;
using System.Net.Sockets;
using ClaimCheck.Service.Publishing.Webhooks;

namespace ClaimCheck.Service.Tests.Publishing.Webhooks;

/// <summary>Webhooks never reach into the operator's own network, whatever a name says.</summary>
public sealed class Addresses_of_webhooks
{
    private static readonly WebhookOptions Strict = new();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("0.0.0.0")]
    [InlineData("10.0.0.1")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.1.1")]
    [InlineData("169.254.169.254")]
    [InlineData("100.64.0.1")]
    [InlineData("100.100.100.200")]
    [InlineData("168.63.129.16")]
    [InlineData("192.0.0.192")]
    [InlineData("198.18.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::7f00:1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:93.184.215.14")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b:1::a00:1")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("ff02::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2001::1")]
    [InlineData("2002:7f00:1::")]
    public async Task Special_addresses_are_refused_at_creation_and_at_connect(string address)
    {
        var ip = IPAddress.Parse(address);
        var named = Addresses((_, _) => Task.FromResult<IPAddress[]>([ip]), Strict);
        var literal = ip.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address;

        Assert.False(AddressRanges.IsPublic(ip));
        Assert.NotNull((await named.CheckAsync("https://hooks.example/x", default)).Error);
        Assert.NotNull((await named.CheckAsync($"https://{literal}/x", default)).Error);
        await Assert.ThrowsAsync<BlockedAddressException>(
            async () => await named.ConnectAsync(new DnsEndPoint("hooks.example", 443), default));
        await Assert.ThrowsAsync<BlockedAddressException>(
            async () => await named.ConnectAsync(new DnsEndPoint(address, 443), default));
    }

    [Theory]
    [InlineData("93.184.215.14")]
    [InlineData("172.32.0.1")]
    [InlineData("100.128.0.1")]
    [InlineData("2606:4700::1111")]
    [InlineData("2a00:1450:4001::200e")]
    public async Task Public_ones_are_taken(string address)
    {
        var addresses = Addresses((_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(address)]), Strict);
        Assert.True(AddressRanges.IsPublic(IPAddress.Parse(address)));
        var (normal, warnings, error) = await addresses.CheckAsync("https://Hooks.example/x?a=b", default);
        Assert.Equal(("https://hooks.example/x?a=b", 0, null), (normal, warnings.Length, error));
    }

    [Theory]
    [InlineData("http://hooks.example/")]
    [InlineData("ftp://hooks.example/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("/hooks")]
    [InlineData("hooks.example")]
    [InlineData("https://")]
    [InlineData("https://user@hooks.example/")]
    [InlineData("https://user:password@hooks.example/")]
    [InlineData("https://hooks.example/#part")]
    [InlineData("https://127.1/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://0x7f.0.0.1/")]
    [InlineData("https://[::1]/")]
    [InlineData("https://localhost/")]
    [InlineData("https://LOCALHOST./")]
    [InlineData("https://hooks.localhost/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("arn:aws:sqs:us-east-1:123456789012:queue")]
    [InlineData("")]
    public async Task What_is_no_https_address_of_the_public_internet_is_refused(string endpoint)
    {
        var addresses = Addresses((_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("93.184.215.14")]), Strict);
        Assert.NotNull((await addresses.CheckAsync(endpoint, default)).Error);
    }

    [Fact]
    public async Task A_name_that_can_not_be_resolved_is_taken_with_a_warning()
    {
        var addresses = Addresses((_, _) => throw new SocketException((int)SocketError.HostNotFound), Strict);
        var (normal, warnings, error) = await addresses.CheckAsync("https://hooks.example/", default);
        Assert.Equal(("https://hooks.example/", null), (normal, error));
        Assert.Single(warnings);
    }

    [Fact]
    public async Task A_name_that_changes_its_answer_gains_nothing()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var answers = new Queue<IPAddress[]>(
            [[IPAddress.Parse("93.184.215.14")], [IPAddress.Loopback], [IPAddress.IPv6Loopback, IPAddress.Parse("10.0.0.1")]]);
        var addresses = Addresses((_, _) => Task.FromResult(answers.Dequeue()), Strict);

        Assert.Null((await addresses.CheckAsync("https://rebound.example/", default)).Error);
        await Assert.ThrowsAsync<BlockedAddressException>(
            async () => await addresses.ConnectAsync(new DnsEndPoint("rebound.example", port), default));
        await Assert.ThrowsAsync<BlockedAddressException>(
            async () => await addresses.ConnectAsync(new DnsEndPoint("rebound.example", port), default));
        Assert.False(listener.Pending());
    }

    [Fact]
    public async Task Each_connection_goes_to_the_very_address_that_was_looked_at()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var asked = 0;
        var addresses = Addresses(
            (_, _) =>
            {
                asked++;
                return Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
            },
            new() { AllowPrivateAddresses = true });

        await using var stream = await addresses.ConnectAsync(
            new DnsEndPoint("no-such-name.example", ((IPEndPoint)listener.LocalEndpoint).Port), default);
        using var accepted = await listener.AcceptTcpClientAsync();

        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task Where_the_operator_allows_it_private_addresses_and_http_are_taken()
    {
        var addresses = Addresses((_, _) => throw new InvalidOperationException(), new() { AllowPrivateAddresses = true });
        Assert.Null((await addresses.CheckAsync("http://127.0.0.1:1234/hooks", default)).Error);
        Assert.NotNull((await addresses.CheckAsync("http://user@127.0.0.1:1234/hooks", default)).Error);
    }

    [Fact]
    public void Tries_are_spread_over_days_and_put_off_by_the_endpoint_within_bounds()
    {
        var settings = new WebhookOptions();
        Assert.Equal(TimeSpan.FromSeconds(5), settings.WaitAfter(0, null, 0));
        Assert.Equal(TimeSpan.FromSeconds(5.5), settings.WaitAfter(0, null, 1));
        Assert.Equal(TimeSpan.FromMinutes(5), settings.WaitAfter(1, TimeSpan.FromSeconds(1), 0));
        Assert.Equal(TimeSpan.FromHours(1), settings.WaitAfter(0, TimeSpan.FromHours(1), 0));
        Assert.Equal(TimeSpan.FromDays(1), settings.WaitAfter(0, TimeSpan.FromDays(400), 0));
        Assert.Equal(TimeSpan.FromDays(1), settings.WaitAfter(8, null, 0));
        Assert.Null(settings.WaitAfter(9, TimeSpan.FromHours(1), 0));
    }

    internal static WebhookAddresses Addresses(
        ResolveHost resolve, WebhookOptions settings, ConnectTo? connect = null, TimeProvider? time = null) =>
        new(resolve, new(connect ?? ConnectionRace.TcpAsync, time ?? TimeProvider.System), settings);
}
