using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.EndToEnd.Tests.Publishing;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

/// <summary>The client's calls for subscriptions, against the real service and a receiver of webhooks.</summary>
public sealed class Subscriptions_by_the_client
{
    [Fact]
    public async Task A_webhook_is_subscribed_tested_given_another_secret_looked_at_and_ended()
    {
        await using var scene = await HookScene.StartAsync();
        using var client = new ClaimCheckClient(scene.Service.Address);
        var request = new SubscriptionRequest
        {
            Consumer = "billing",
            Types = [EventTypes.BulkReady],
            Datasets = ["items"],
            Protocol = SubscriptionProtocol.Webhook,
            Endpoint = scene.Receiver.Url(),
        };

        var created = await client.CreateSubscriptionAsync(request);
        var again = await client.CreateSubscriptionAsync(request);
        var other = await client.CreateSubscriptionAsync(
            request with { Consumer = "crm", Endpoint = scene.Receiver.Url("/crm"), ContentType = WebhookContentType.Json });
        Assert.Equal((WebhookContentType.Default, WebhookContentType.Json), (created.ContentType, other.ContentType));
        Assert.StartsWith("whsec_", created.Secret!, StringComparison.Ordinal);
        Assert.Equal((created.SubscriptionId, (string?)null), (again.SubscriptionId, again.Secret));
        var first = await client.ListSubscriptionsAsync(limit: 1);
        var second = await client.ListSubscriptionsAsync(limit: 1, cursor: first.NextCursor);
        Assert.Equal(
            [other.SubscriptionId, created.SubscriptionId],
            new[] { first, second }.SelectMany(page => page.Items).Select(each => each.SubscriptionId));
        var found = await client.GetSubscriptionAsync(created.SubscriptionId);
        Assert.Equal((SubscriptionState.Active, request.Endpoint, (string?)null), (found.State, found.Endpoint, found.Secret));

        var tested = await client.TestSubscriptionAsync(created.SubscriptionId);
        Assert.Equal((true, 204), (tested.Delivered, tested.Status));
        var hook = Assert.Single(await scene.Receiver.UntilAsync(1));
        Assert.Equal((WebhookTest.EventType, tested.EventId), (hook.Event.Type, hook.Event.Id));
        Assert.True(hook.IsSignedWith(created.Secret!));

        var rotated = await client.RotateSecretAsync(created.SubscriptionId);
        Assert.NotEqual(created.Secret, rotated.Secret);
        var export = await scene.ExportAsync();
        var ready = (await scene.Receiver.UntilAsync(2))[1];
        Assert.True(ready.IsSignedWith(rotated.Secret!));
        Assert.Equal(export.BatchId.ToString(), ready.Event.Subject);
        await scene.UntilAsync(created, WebhookDeliveryState.Delivered, 1);

        var delivery = Assert.Single(
            (await client.ListDeliveriesAsync(created.SubscriptionId)).Items, each => each.Type == EventTypes.BulkReady);
        Assert.Equal(
            (ready.Event.Id, WebhookDeliveryState.Delivered, 204), (delivery.EventId, delivery.State, delivery.LastStatus));
        await client.DeliverAgainAsync(created.SubscriptionId, delivery.EventId);
        Assert.Equal(ready.Event.Id, (await scene.Receiver.UntilAsync(3))[2].Event.Id);

        await client.DeleteSubscriptionAsync(created.SubscriptionId);
        await Assert.ThrowsAsync<NotFoundException>(() => client.GetSubscriptionAsync(created.SubscriptionId));
        await Assert.ThrowsAsync<NotFoundException>(() => client.DeleteSubscriptionAsync(created.SubscriptionId));
        await Assert.ThrowsAsync<NotFoundException>(() => client.ListDeliveriesAsync(created.SubscriptionId));
        Assert.Equal([other.SubscriptionId], (await client.ListSubscriptionsAsync()).Items.Select(each => each.SubscriptionId));
        var refused = await Assert.ThrowsAsync<RequestRejectedException>(
            () => client.CreateSubscriptionAsync(request with { Endpoint = "ftp://nowhere" }));
        Assert.Equal(["endpoint"], refused.Errors.Keys);
    }
}
