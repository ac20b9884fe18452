using System.Net;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Publishing;

/// <summary>Events reach webhooks: signed, once from any number of replicas, and only those that were subscribed to.</summary>
public sealed class Webhooks
{
    [Fact]
    public async Task An_event_comes_signed_with_a_working_link_and_nothing_secret_is_logged()
    {
        await using var scene = await HookScene.StartAsync(null, ("Logging__LogLevel__Default", "Trace"));
        var subscription = await scene.SubscribeAsync("/hooks/t0p-secret-path?token=t0p-secret-token");
        const string path = "/hooks/t0p-secret-path";

        var export = await scene.ExportAsync();
        var ready = (await scene.Receiver.UntilAsync(1, path))[0];
        using var anyone = new HttpClient();
        Assert.Equal(HttpStatusCode.OK, (await anyone.GetAsync(ready.Event.DataRef!.Reveal())).StatusCode);
        await scene.Client.Http.DeleteAsync($"/v1/batches/{export.BatchId}?reason=test");
        var revoked = (await scene.Receiver.UntilAsync(2, path))[1];

        Assert.All([ready, revoked], hook => Assert.True(hook.IsSignedWith(subscription.Secret!)));
        Assert.False((ready with { Body = [.. ready.Body, 32] }).IsSignedWith(subscription.Secret!));
        ready.VerifyAsOthersDo(subscription.Secret!);
        Assert.Throws<StandardWebhooks.Diagnostics.WebhookVerificationException>(
            () => (ready with { Body = [.. ready.Body, 32] }).VerifyAsOthersDo(subscription.Secret!));
        var read = ready.AsOthersRead();
        Assert.Equal((ready.Id, "claimcheck.bulk.ready.v1", ready.Event.Source), (read.Id, read.Type, read.Source!.ToString()));
        Assert.True(read.IsValid);
        var inFeed = await scene.Client.EventAsync(export, EventTypes.BulkReady);
        Assert.Equal(
            (inFeed.Id.ToString(), inFeed.Id, inFeed.Type, inFeed.Subject, inFeed.Source),
            (ready.Id, ready.Event.Id, ready.Event.Type, ready.Event.Subject, ready.Event.Source));
        Assert.Equal("claimcheck.bulk.revoked.v1", revoked.Event.Type);
        Assert.Equal("application/cloudevents+json", ready.Headers["Content-Type"]);
        Assert.Matches(@"^ClaimCheck/\d", ready.Headers["User-Agent"]);
        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$", ready.Headers["traceparent"]);
        var logged = await scene.UntilAsync(subscription, WebhookDeliveryState.Delivered, 1);
        Assert.Equal(
            (204, (string?)null, (DateTimeOffset?)null), (logged.LastStatus!.Value, logged.LastFailure, logged.NextTryAt));
        Assert.Contains("is delivered to sub_", scene.Service.Log, StringComparison.Ordinal);
        foreach (var secret
            in new[] { "t0p-secret", "whsec_", subscription.Secret![6..], new Uri(ready.Event.DataRef!.Reveal()).Query[1..] })
            Assert.DoesNotContain(secret, scene.Service.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_replicas_deliver_each_event_once()
    {
        await using var scene = await HookScene.StartAsync();
        await scene.Scene.StartServiceAsync();
        await scene.Scene.StartServiceAsync();
        await scene.SubscribeAsync();
        var crm = await scene.SubscribeAsync("/crm", "crm");

        var asked = new List<Export>();
        for (var at = 0; at < 15; at++)
            asked.Add(await scene.Client.AskAsync("items"));
        foreach (var export in asked)
            await scene.Client.UntilAsync(export, ExportState.Ready);
        await scene.Receiver.UntilAsync(15);
        await scene.Receiver.UntilAsync(15, "/crm");
        await Eventually.TrueAsync(
            async () => (await scene.LogAsync(crm)).Count(delivery => delivery.State == WebhookDeliveryState.Delivered) == 15);

        foreach (var path in new[] { "/hooks", "/crm" })
        {
            Assert.Equal(15, scene.Receiver.At(path).Count);
            Assert.Equal(
                asked.Select(export => export.BatchId.ToString()).Order(),
                scene.Receiver.At(path).Select(hook => hook.Event.Subject).Order());
        }
    }

    [Fact]
    public async Task Only_what_was_subscribed_to_comes_and_nothing_of_before()
    {
        await using var scene = await HookScene.StartAsync();
        var before = await scene.ExportAsync();
        await scene.Client.EventAsync(before, EventTypes.BulkReady);
        await scene.SubscribeAsync("/revoked", more: """, "types": ["BulkRevoked"] """);
        await scene.SubscribeAsync("/slow", more: """, "datasets": ["slow"] """);
        await scene.SubscribeAsync("/crm", "crm");
        await scene.SubscribeAsync("/all");

        var export = await scene.ExportAsync();
        await scene.Client.EventAsync(export, EventTypes.BulkReady);
        // As a redelivery to billing alone.
        await scene.SqlAsync(
            """
            INSERT INTO outbox (event_id, export_id, batch_id, tenant, dataset, type, consumer, data, traceparent)
            SELECT gen_random_uuid(), export_id, batch_id, tenant, dataset, type, 'billing', data, traceparent FROM outbox ORDER BY position DESC LIMIT 1
            """);
        await scene.Receiver.UntilAsync(2, "/all");
        await scene.Client.Http.DeleteAsync($"/v1/batches/{export.BatchId}");
        await scene.Receiver.UntilAsync(3, "/all");
        await scene.Receiver.UntilAsync(1, "/revoked");
        await scene.Receiver.UntilAsync(2, "/crm");

        Assert.Equal(["claimcheck.bulk.revoked.v1"], scene.Receiver.At("/revoked").Select(hook => hook.Event.Type));
        Assert.Equal(
            ["claimcheck.bulk.ready.v1", "claimcheck.bulk.revoked.v1"],
            scene.Receiver.At("/crm").Select(hook => hook.Event.Type));
        Assert.Empty(scene.Receiver.At("/slow"));
        Assert.DoesNotContain(scene.Receiver.All, hook => hook.Event.Subject == before.BatchId.ToString());
    }

    [Fact]
    public async Task A_rotated_secret_signs_along_until_its_time_is_over()
    {
        await using var scene = await HookScene.StartAsync();
        var subscription = await scene.SubscribeAsync();
        var rotated = await scene.PostAsync<Subscription>(HookScene.Path(subscription) + "/secret");
        Assert.True(WebhookSignature.IsSecret(rotated.Secret));
        Assert.NotEqual(subscription.Secret, rotated.Secret);

        await scene.ExportAsync();
        var both = (await scene.Receiver.UntilAsync(1))[0];
        await scene.SqlAsync("UPDATE webhook_secrets SET expires_at = now() WHERE expires_at IS NOT NULL");
        await scene.ExportAsync();
        var one = (await scene.Receiver.UntilAsync(2))[1];

        Assert.True(both.IsSignedWith(subscription.Secret!));
        Assert.True(both.IsSignedWith(rotated.Secret!));
        Assert.False(one.IsSignedWith(subscription.Secret!));
        Assert.True(one.IsSignedWith(rotated.Secret!));
        Assert.Null((await scene.FindAsync(subscription)).Secret);
    }

    [Fact]
    public async Task A_test_event_tells_what_happened()
    {
        await using var scene = await HookScene.StartAsync();
        var subscription = await scene.SubscribeAsync();

        var well = await scene.PostAsync<WebhookTest>(HookScene.Path(subscription) + "/test");
        scene.Receiver.Answer = HookReceiver.Status(410);
        var gone = await scene.PostAsync<WebhookTest>(HookScene.Path(subscription) + "/test");

        Assert.True(well is { Delivered: true, Status: 204, Failure: null, DurationMilliseconds: >= 0 });
        var hook = scene.Receiver.All[0];
        Assert.Equal(
            (well.EventId.ToString(), WebhookTest.EventType, subscription.SubscriptionId.ToString()),
            (hook.Id, hook.Event.Type, hook.Event.Subject));
        Assert.True(hook.IsSignedWith(subscription.Secret!));
        Assert.True(gone is { Delivered: false, Status: 410, Failure: "gone" });
        Assert.Equal(SubscriptionState.Active, (await scene.FindAsync(subscription)).State);
        Assert.Empty(await scene.LogAsync(subscription));
    }

    [Fact]
    public async Task A_deleted_subscription_gets_nothing_more()
    {
        await using var scene = await HookScene.StartAsync();
        var subscription = await scene.SubscribeAsync();
        await scene.SubscribeAsync("/other");
        Assert.Equal(HttpStatusCode.NoContent, (await scene.Client.Http.DeleteAsync(HookScene.Path(subscription))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await scene.Client.Http.GetAsync(HookScene.Path(subscription))).StatusCode);

        await scene.ExportAsync();
        await scene.Receiver.UntilAsync(1, "/other");

        Assert.Empty(scene.Receiver.At("/hooks"));
        Assert.Equal(1, await Scene.ScalarAsync<long>(scene.Scene.Catalog, "SELECT count(*) FROM webhook_deliveries"));
    }

    [Fact]
    public async Task What_the_feed_forgets_the_log_forgets()
    {
        await using var scene = await HookScene.StartAsync();
        var subscription = await scene.SubscribeAsync();
        await scene.ExportAsync();
        await scene.UntilAsync(subscription, WebhookDeliveryState.Delivered);
        await scene.Service.StopAsync();

        await scene.SqlAsync("UPDATE outbox SET published_at = now() - interval '15 days'");
        await scene.RestartAsync(); // it forgets as it begins

        await Eventually.TrueAsync(async () => (await scene.LogAsync(subscription)).Count == 0);
    }
}
