namespace ClaimCheck.Aws.Tests;

/// <summary>Which requests go through the proxy that the machine names.</summary>
[Trait("needs", "nothing")]
[Collection(nameof(TheProcess))]
public sealed class Proxies_of_the_machine : IDisposable
{
    private readonly System.Net.IWebProxy before = HttpClient.DefaultProxy;

    public Proxies_of_the_machine() =>
        HttpClient.DefaultProxy = new System.Net.WebProxy("http://proxy.test:3128", BypassOnLocal: false, ["internal\\.test"],
            new System.Net.NetworkCredential("user", "password"));

    public void Dispose() => HttpClient.DefaultProxy = before;

    [Theory]
    [InlineData("https://s3.eu-central-1.amazonaws.com/bucket/key", true)]
    [InlineData("http://10.0.0.1:9000/bucket", true)]
    [InlineData("http://[fd00::1]/", true)]
    [InlineData("https://localhost.example/", true)]
    [InlineData("https://internal.test/", false)] // as NO_PROXY says
    [InlineData("http://localhost:5000/", false)]
    [InlineData("https://LOCALHOST./", false)]
    [InlineData("http://service.localhost/", false)]
    [InlineData("http://127.0.0.1:5000/", false)]
    [InlineData("http://127.8.9.1/", false)]
    [InlineData("http://[::1]:5000/", false)]
    [InlineData("http://[::ffff:127.0.0.1]:5000/", false)]
    public void All_do_but_those_to_loopback_and_what_is_exempt(string address, bool isProxied)
    {
        Assert.Equal(!isProxied, SystemProxy.Instance.IsBypassed(new Uri(address)));
        if (isProxied)
            Assert.Equal("http://proxy.test:3128/", SystemProxy.Instance.GetProxy(new Uri(address))!.AbsoluteUri);
        Assert.NotNull(SystemProxy.Instance.Credentials);
    }
}
