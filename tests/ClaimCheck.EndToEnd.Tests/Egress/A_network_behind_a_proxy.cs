using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ClaimCheck.Contracts;
using ClaimCheck.EndToEnd.Tests.Failures;
using ClaimCheck.EndToEnd.Tests.Publishing;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Egress;

/// <summary>Where nothing but a proxy leads out: S3 through the machine's, webhooks through the one that is set for them, and
/// neither through the other's.</summary>
public sealed class A_network_behind_a_proxy
{
    private const string Password = "svc:p@ss-w0rd";

    [Fact]
    public async Task Batches_are_staged_revoked_and_told_of_through_proxies()
    {
        await using var scene = await Scene.CreateAsync(items: 50, onS3: true);
        using var certificate = NewCertificate("hooks.test");
        await using var receiver = await HookReceiver.StartAsync(certificate);
        await using var machine = new ForwardProxy(
            new Dictionary<string, Uri> { ["s3.test"] = new(scene.Settings["AWS_ENDPOINT_URL_S3"]) });
        await using var border = new ForwardProxy(new Dictionary<string, Uri> { ["hooks.test"] = new(receiver.Url()) }, Password);
        scene.Settings["AWS_ENDPOINT_URL_S3"] = "http://s3.test";
        foreach (var name in new[] { "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy" })
            scene.Settings[name] = machine.Url.ToString();
        scene.Settings["NO_PROXY"] = scene.Settings["no_proxy"] = "elsewhere.test";
        scene.Settings["SSL_CERT_FILE"] = Trusted(scene, certificate);
        scene.Settings["Logging__LogLevel__Default"] = "Trace";
        var service = await scene.StartServiceAsync(
            ("ClaimCheck__Webhooks__Proxy", $"http://svc:{Uri.EscapeDataString("p@ss-w0rd")}@{border.Url.Authority}"));
        using var client = new Client(service);

        // The proxy resolves: nobody else knows the name, and that must not cause a warning.
        var hook = await SubscribeAsync(client, "https://hooks.test/hooks");
        var plain = await SubscribeAsync(client, "https://hooks.test/plain", """, "contentType": "application/json" """);
        Assert.Equal(
            (0, "application/cloudevents+json", "application/json"), (hook.Warnings.Count, hook.ContentType, plain.ContentType));
        var export = await client.UntilAsync(await client.AskAsync("items"), ExportState.Ready);
        var told = (await receiver.UntilAsync(1))[0];
        Assert.True(told.IsSignedWith(hook.Secret!));
        Assert.Equal("application/cloudevents+json", told.Headers["Content-Type"]);
        var toldPlain = (await receiver.UntilAsync(1, "/plain"))[0];
        Assert.True(toldPlain.IsSignedWith(plain.Secret!));
        Assert.Equal(("application/json", told.Event.Id), (toldPlain.Headers["Content-Type"], toldPlain.Event.Id));

        var report = await (await client.Http.DeleteAsync($"/v1/batches/{export.BatchId}?reason=test")).Content
            .ReadFromJsonAsync<RevocationReport>(ClaimCheckJson.Options);
        Assert.NotNull(report!.VerifiedAt);
        Assert.NotEmpty(report.Probes);
        Assert.All(report.Probes, probe => Assert.Equal((206, 404), (probe.Before, probe.After)));

        // Another name is the proxy's to refuse; an address is refused here, also where it came into the catalog some other way.
        var passed = border.Asked.Count;
        Assert.Equal("proxy_failed", (await TestAsync(client, await SubscribeAsync(client, "https://private.test/"))).Failure);
        Assert.All(border.Asked.Skip(passed), asked => Assert.Equal("CONNECT private.test:443", asked));
        passed = border.Asked.Count;
        foreach (var address in new[] { "https://10.0.0.1/", "https://0x7f.1/", "https://[::ffff:169.254.169.254]/",
            "https://localhost/", new Uri(receiver.Url()).AbsoluteUri })
        {
            using var refused = await client.Http.PostAsync("/v1/subscriptions", HookScene.Json(Wanted(address, "")));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
            await Scene.SqlAsync(
                scene.Catalog, $"UPDATE event_subscriptions SET endpoint = '{address}' WHERE id = '{hook.SubscriptionId.Value}'");
            Assert.Equal("blocked_address", (await TestAsync(client, hook)).Failure);
        }

        Assert.Equal(passed, border.Asked.Count);
        Assert.All(machine.Asked, asked => Assert.EndsWith(" http://s3.test", asked, StringComparison.Ordinal));
        foreach (var secret in new[] { "p@ss-w0rd", Uri.EscapeDataString("p@ss-w0rd"), Convert.ToBase64String(
            System.Text.Encoding.UTF8.GetBytes(Password)) })
            Assert.DoesNotContain(secret, service.Log, StringComparison.Ordinal);

        // The machine's proxy would go around the checks of addresses: webhooks do not take it.
        Assert.Equal(0, await service.StopAsync());
        using var without = new Client(await scene.StartServiceAsync());
        Assert.Equal("unreachable", (await TestAsync(without, plain)).Failure);
        Assert.All(machine.Asked, asked => Assert.EndsWith(" http://s3.test", asked, StringComparison.Ordinal));
    }

    private static string Wanted(string endpoint, string more) =>
        $$"""{ "consumer": "billing", "protocol": "webhook", "endpoint": "{{endpoint}}"{{more}} }""";

    private static async Task<Subscription> SubscribeAsync(Client client, string endpoint, string more = "")
    {
        using var answer = await client.Http.PostAsync("/v1/subscriptions", HookScene.Json(Wanted(endpoint, more)));
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<Subscription>(ClaimCheckJson.Options))!;
    }

    private static async Task<WebhookTest> TestAsync(Client client, Subscription subscription) =>
        (await (await client.Http.PostAsync(HookScene.Path(subscription) + "/test", null)).Content
            .ReadFromJsonAsync<WebhookTest>(ClaimCheckJson.Options))!;

    private static X509Certificate2 NewCertificate(string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    private static string Trusted(Scene scene, X509Certificate2 certificate)
    {
        var file = Path.Combine(Path.GetDirectoryName(scene.Datasets)!, "trusted.pem");
        File.WriteAllText(file, certificate.ExportCertificatePem());
        return file;
    }
}
