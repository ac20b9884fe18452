using System.Net;
using System.Net.Sockets;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Publishing;

/// <summary>A webhook that is slow, refuses, redirects, is gone or is at a forbidden address; and a service that dies
/// while delivering.</summary>
public sealed class Webhooks_that_fail
{
    [Fact]
    public async Task Each_retry_has_the_same_id_and_a_fresh_signature()
    {
        await using var scene = await HookScene.StartAsync();
        scene.Receiver.Answer = (hook, response, token) =>
            HookReceiver.Status(scene.Receiver.All.Count < 3 ? 500 : 200)(hook, response, token);
        var subscription = await scene.SubscribeAsync();

        await scene.ExportAsync();
        var delivery = await scene.UntilAsync(subscription, WebhookDeliveryState.Delivered);

        var tries = await scene.Receiver.UntilAsync(3);
        Assert.Equal(3, delivery.Tries);
        Assert.Equal([delivery.EventId.ToString()], tries.Select(hook => hook.Id).Distinct());
        Assert.All(tries, hook => Assert.True(hook.IsSignedWith(subscription.Secret!)));
    }

    [Fact]
    public async Task Retry_After_puts_the_next_try_off_but_not_for_ever()
    {
        await using var scene = await HookScene.StartAsync(["00:00:01"], ("ClaimCheck__Webhooks__LongestRetryAfter", "02:00:00"));
        scene.Receiver.Answer = (_, response, _) =>
        {
            response.StatusCode = 503;
            response.Headers.RetryAfter = scene.Receiver.All.Count == 1 ? "3600" : "99999999";
            return Task.CompletedTask;
        };
        var subscription = await scene.SubscribeAsync();

        await scene.ExportAsync();
        var asked = await scene.UntilAsync(subscription, WebhookDeliveryState.Pending, 1);
        Assert.Equal((503, "status"), (asked.LastStatus!.Value, asked.LastFailure));
        Assert.InRange((asked.NextTryAt - asked.LastTryAt)!.Value.TotalSeconds, 3599, 3601);

        await scene.PostAsync<WebhookDelivery>(
            $"{HookScene.Path(subscription)}/deliveries/{asked.EventId}", HttpStatusCode.Accepted);
        var bounded = await scene.UntilAsync(subscription, WebhookDeliveryState.Pending, 2);
        Assert.InRange((bounded.NextTryAt - bounded.LastTryAt)!.Value.TotalSeconds, 7199, 7201);
    }

    [Fact]
    public async Task A_redirect_is_a_failure_and_after_all_tries_the_event_can_be_delivered_by_hand()
    {
        await using var scene = await HookScene.StartAsync(["00:00:00.1"]);
        scene.Receiver.Answer = (_, response, _) =>
        {
            response.StatusCode = 307;
            response.Headers.Location = scene.Receiver.Url("/elsewhere");
            return Task.CompletedTask;
        };
        var subscription = await scene.SubscribeAsync();

        await scene.ExportAsync();
        var failed = await scene.UntilAsync(subscription, WebhookDeliveryState.Failed);
        Assert.Equal((2, 307, "redirect"), (failed.Tries, failed.LastStatus!.Value, failed.LastFailure));
        Assert.Empty(scene.Receiver.At("/elsewhere"));
        Assert.Null(failed.NextTryAt);
        Assert.Equal(SubscriptionState.Active, (await scene.FindAsync(subscription)).State);

        scene.Receiver.Answer = HookReceiver.Taken;
        using var none = await scene.Client.Http.PostAsync(
            $"{HookScene.Path(subscription)}/deliveries/{Contracts.EventId.New()}", null);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        var again = await scene.PostAsync<WebhookDelivery>(new Uri(failed.Links.Redeliver).AbsolutePath, HttpStatusCode.Accepted);
        Assert.Equal(WebhookDeliveryState.Pending, again.State);
        var delivered = await scene.UntilAsync(subscription, WebhookDeliveryState.Delivered);
        Assert.Equal((3, failed.EventId), (delivered.Tries, delivered.EventId));
        // What was delivered can be had once more, too.
        await scene.PostAsync<WebhookDelivery>(new Uri(failed.Links.Redeliver).AbsolutePath, HttpStatusCode.Accepted);
        await scene.UntilAsync(subscription, WebhookDeliveryState.Delivered, 4);
        Assert.Single(scene.Receiver.All.Select(hook => hook.Id).Distinct());
    }

    [Fact]
    public async Task Gone_disables_the_subscription_at_once()
    {
        await using var scene = await HookScene.StartAsync();
        scene.Receiver.Answer = HookReceiver.Status(410);
        var subscription = await scene.SubscribeAsync();

        await scene.ExportAsync();
        await scene.UntilAsync(subscription, WebhookDeliveryState.Failed, 1);
        var disabled = await scene.FindAsync(subscription);
        Assert.Equal(SubscriptionState.Disabled, disabled.State);
        Assert.Contains("410", disabled.Reason, StringComparison.Ordinal);
        var delivery = Assert.Single(await scene.LogAsync(subscription));
        using var byHand = await scene.Client.Http.PostAsync(new Uri(delivery.Links.Redeliver).AbsolutePath, null);
        Assert.Equal(HttpStatusCode.Conflict, byHand.StatusCode);

        // A new subscription gets events from then on.
        scene.Receiver.Answer = HookReceiver.Taken;
        var anew = await scene.SubscribeAsync();
        await scene.ExportAsync();
        await scene.UntilAsync(anew, WebhookDeliveryState.Delivered);
        Assert.Equal(2, scene.Receiver.All.Count);
    }

    [Fact]
    public async Task One_that_has_failed_for_days_is_disabled()
    {
        await using var scene = await HookScene.StartAsync();
        scene.Receiver.Answer = HookReceiver.Status(500);
        var subscription = await scene.SubscribeAsync();
        await scene.ExportAsync();
        await scene.UntilAsync(subscription, WebhookDeliveryState.Pending, 3);
        Assert.Equal(SubscriptionState.Active, (await scene.FindAsync(subscription)).State);

        await scene.SqlAsync("UPDATE event_subscriptions SET failing_since = now() - interval '6 days'");
        await scene.ExportAsync();

        await Eventually.TrueAsync(async () => (await scene.FindAsync(subscription)).State == SubscriptionState.Disabled);
        Assert.Contains("P5D", (await scene.FindAsync(subscription)).Reason, StringComparison.Ordinal);
        await Eventually.TrueAsync(
            async () => (await scene.LogAsync(subscription)).Any(delivery => delivery.State == WebhookDeliveryState.Failed));
    }

    [Fact]
    public async Task A_slow_one_runs_into_its_limit_and_holds_up_no_other()
    {
        await using var scene = await HookScene.StartAsync(
            ["01:00:00"], ("ClaimCheck__Webhooks__Timeout", "00:00:08"), ("ClaimCheck__Webhooks__Concurrency", "4"),
            ("ClaimCheck__Webhooks__PerSubscription", "2"));
        scene.Receiver.Answer = (hook, response, token) =>
            hook.Path == "/slow" ? HookReceiver.Silence(hook, response, token) : HookReceiver.Taken(hook, response, token);
        var slow = await scene.SubscribeAsync("/slow");
        await scene.SubscribeAsync("/fast");

        for (var at = 0; at < 6; at++)
            await scene.ExportAsync();
        await scene.Receiver.UntilAsync(6, "/fast");
        Assert.NotEmpty(scene.Receiver.At("/slow"));
        Assert.InRange(
            await Scene.ScalarAsync<long>(
                scene.Scene.Catalog, "SELECT count(*) FROM webhook_deliveries WHERE subscription_id = "
                    + $"'{slow.SubscriptionId.Value}' AND lease_token IS NOT NULL"),
            0,
            2);

        var late = await scene.UntilAsync(slow, WebhookDeliveryState.Pending, 1);
        Assert.Equal((null, "timeout"), (late.LastStatus, late.LastFailure));
    }

    [Fact]
    public async Task An_endless_answer_is_not_read()
    {
        await using var scene = await HookScene.StartAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var subscription = await scene.SubscribeAsync();
        await scene.SqlAsync(
            $"UPDATE event_subscriptions SET endpoint = 'http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/'");

        await scene.ExportAsync();
        using var connection = await listener.AcceptTcpClientAsync();
        await using var stream = connection.GetStream();
        _ = await stream.ReadAsync(new byte[4096]);
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n"u8.ToArray());
        var taken = 0L;
        // Until it hangs up.
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            for (var chunk = new byte[64 << 10]; taken < 1 << 30; taken += chunk.Length)
                await stream.WriteAsync(chunk).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        });

        Assert.Equal(1, (await scene.UntilAsync(subscription, WebhookDeliveryState.Delivered)).Tries);
        Assert.InRange(taken, 0, 32 << 20); // what sockets hold
    }

    [Fact]
    public async Task A_batch_that_is_taken_back_before_its_turn_is_not_offered_any_more()
    {
        await using var scene = await HookScene.StartAsync(
            ["00:00:00.1", "00:00:00.1", "00:00:00.1", "00:00:00.1"], ("ClaimCheck__Webhooks__Timeout", "00:01:00"));
        var revoked = new TaskCompletionSource();
        scene.Receiver.Answer = async (hook, response, token) =>
        {
            await revoked.Task.WaitAsync(token);
            await HookReceiver.Status(
                hook.Event.Type == EventTypes.ToCloudEventType(EventTypes.BulkReady) ? 500 : 204)(hook, response, token);
        };
        var subscription = await scene.SubscribeAsync();
        var export = await scene.ExportAsync();
        await scene.Receiver.UntilAsync(1);

        await scene.Client.Http.DeleteAsync($"/v1/batches/{export.BatchId}");
        revoked.SetResult();
        await scene.UntilAsync(subscription, WebhookDeliveryState.Superseded);
        await scene.UntilAsync(subscription, WebhookDeliveryState.Delivered, type: EventTypes.BulkRevoked);
    }

    [Fact]
    public async Task What_a_killed_process_was_delivering_comes_again_from_another_under_its_id()
    {
        await using var scene = await HookScene.StartAsync();
        scene.Receiver.Answer = HookReceiver.Silence;
        var subscription = await scene.SubscribeAsync();
        await scene.ExportAsync();
        var first = (await scene.Receiver.UntilAsync(1))[0];

        await scene.Service.KillAsync();
        scene.Receiver.Answer = HookReceiver.Taken;
        await scene.RestartAsync();
        // Nobody takes it while the dead one's lease lasts.
        Assert.True(await Scene.ScalarAsync<bool>(
            scene.Scene.Catalog,
            "SELECT lease_token IS NOT NULL AND next_try_at > now() + interval '5 seconds' FROM webhook_deliveries"));
        await scene.SqlAsync("UPDATE webhook_deliveries SET next_try_at = now()");

        var delivery = await scene.UntilAsync(subscription, WebhookDeliveryState.Delivered);
        Assert.Equal([first.Id, delivery.EventId.ToString()], scene.Receiver.All.Select(hook => hook.Id));
    }

    [Fact]
    public async Task What_a_stopping_process_was_delivering_is_given_back_at_once()
    {
        await using var scene = await HookScene.StartAsync();
        scene.Receiver.Answer = HookReceiver.Silence;
        var subscription = await scene.SubscribeAsync();
        await scene.ExportAsync();
        await scene.Receiver.UntilAsync(1);

        Assert.Equal(0, await scene.Service.StopAsync());
        Assert.True(await Scene.ScalarAsync<bool>(
            scene.Scene.Catalog, "SELECT lease_token IS NULL AND next_try_at <= now() AND tries = 0 FROM webhook_deliveries"));
        scene.Receiver.Answer = HookReceiver.Taken;
        await scene.RestartAsync();
        await scene.UntilAsync(subscription, WebhookDeliveryState.Delivered);
    }

    [Fact]
    public async Task A_private_address_is_refused_at_connect()
    {
        await using var scene = await HookScene.StartAsync();
        var subscription = await scene.SubscribeAsync();
        await scene.Service.StopAsync();
        // The name was allowed when it was subscribed, and leads to loopback now.
        await scene.SqlAsync(
            $"UPDATE event_subscriptions SET endpoint = 'https://localhost:{new Uri(scene.Receiver.Url()).Port}/hooks'");
        await scene.RestartAsync(("ClaimCheck__Webhooks__AllowPrivateAddresses", "false"));

        await scene.ExportAsync();
        var refused = await scene.UntilAsync(subscription, WebhookDeliveryState.Pending, 1);
        var test = await scene.PostAsync<WebhookTest>(HookScene.Path(subscription) + "/test");

        Assert.Equal((null, "blocked_address"), (refused.LastStatus, refused.LastFailure));
        Assert.Equal("blocked_address", test.Failure);
        Assert.Empty(scene.Receiver.All);
    }
}
