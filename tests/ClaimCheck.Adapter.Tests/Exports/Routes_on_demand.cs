using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Exports;

/// <summary>AR-3 and AR-4: a consumer system asks, is told or asks again, and reads at its shared location.</summary>
public sealed class Routes_on_demand
{
    [Theory]
    [InlineData("ar-3", "feed")]
    [InlineData("ar-3", "sqs")]
    [InlineData("ar-4", null)]
    public async Task What_a_consumer_system_asks_for_is_put_where_it_reads_and_it_is_told(string pattern, string? events)
    {
        await using var scene = await CreateAsync(pattern, events);
        scene.Consumer.Refuse(2);
        await scene.StartAsync();

        var asked = await scene.AskAsync(new { route = "crm", criteria = new { least = 901 } }, "order-4711");
        var id = (string)asked["id"]!;
        var notice = await scene.HearsAsync(id, "export.delivered");
        var delivered = await scene.BecomesAsync(id, "delivered");

        Assert.Equal(100, scene.Records((string)delivered["folder"]!));
        Assert.StartsWith("exp_", (string)delivered["exportId"]!, StringComparison.Ordinal);
        Assert.Equal((string)delivered["exportId"]!, (string)notice.Data["exportId"]!);
        Assert.Equal(100, (long)notice.Data["records"]!);
        // The link leads to the manifest there.
        Assert.Equal(
            new Uri(Path.Combine(scene.Shared, (string)delivered["folder"]!, "manifest.json")).AbsoluteUri,
            (string)notice.Data["link"]!);
        Assert.Equal((string)notice.Data["link"]!, (string)delivered["link"]!);
        // Told again until it was taken, by the same id.
        Assert.All(scene.Consumer.Refused, refused => Assert.Equal(notice.Id, refused));
        Assert.Equal(2, scene.Consumer.Refused.Count);
        Assert.Single(scene.Consumer.Taken);

        // The same request is the same export; another one by the same key is none.
        Assert.Equal(
            id, (string)(await scene.AskAsync(new { route = "crm", criteria = new { least = 901 } }, "order-4711"))["id"]!);
        using var other =
            new HttpRequestMessage(HttpMethod.Post, "/exports") { Content = JsonContent.Create(new { route = "crm" }) };
        other.Headers.Add("Idempotency-Key", "order-4711");
        using var refusal = await scene.Http.SendAsync(other);
        Assert.Equal(HttpStatusCode.Conflict, refusal.StatusCode);
        Assert.Single(await scene.AtServiceAsync());

        Assert.True(BatchId.TryParse((string)delivered["batchId"]!, out var batch));
        await scene.Client.RevokeAsync(batch, "wrong customer");
        var revoked = await scene.HearsAsync(id, "export.revoked");
        Assert.Equal("wrong customer", (string)revoked.Data["reason"]!);
        Assert.False(scene.HasData((string)delivered["folder"]!));
        Assert.Null((await scene.BecomesAsync(id, "revoked"))["link"]);
    }

    [Theory]
    [InlineData("ar-3", "feed")]
    [InlineData("ar-4", null)]
    public async Task What_is_cancelled_is_cancelled_at_the_service_too(string pattern, string? events)
    {
        await using var scene = await CreateAsync(pattern, events, items: 60_000, dataset: "slow");
        await scene.StartAsync();
        var id = (string)(await scene.AskAsync(new { }))["id"]!;
        await scene.BecomesAsync(id, "waiting");

        using var cancelled = await scene.Http.DeleteAsync($"/exports/{id}?reason=changed+my+mind");
        Assert.True(cancelled.IsSuccessStatusCode);
        await scene.BecomesAsync(id, "cancelled");
        Assert.Equal(ExportState.Cancelled, Assert.Single(await scene.AtServiceAsync()).State);
        Assert.Equal("changed my mind", (string)(await scene.HearsAsync(id, "export.cancelled")).Data["reason"]!);
        // Once more changes nothing.
        using var again = await scene.Http.DeleteAsync($"/exports/{id}");
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Single(scene.Consumer.Taken);
    }

    [Fact]
    public async Task What_was_delivered_goes_when_it_is_not_wanted_any_more()
    {
        await using var scene = await CreateAsync("ar-4", null);
        await scene.StartAsync();
        var id = (string)(await scene.AskAsync(new { }))["id"]!;
        var delivered = await scene.BecomesAsync(id, "delivered");

        using var cancelled = await scene.Http.DeleteAsync($"/exports/{id}");
        Assert.Equal(HttpStatusCode.OK, cancelled.StatusCode);
        Assert.False(scene.HasData((string)delivered["folder"]!));
        Assert.Equal(ExportState.Revoked, Assert.Single(await scene.AtServiceAsync()).State);
    }

    [Theory]
    [InlineData("ar-3", "feed")]
    [InlineData("ar-4", null)]
    public async Task What_the_service_refuses_is_the_caller_s_to_know_and_nothing_else_s(string pattern, string? events)
    {
        await using var scene = await CreateAsync(pattern, events);
        scene.Settings["Routes"]!["crm"]!["Criteria"] = new JsonObject { ["least"] = 5 };
        await scene.StartAsync();

        using var unknown = await scene.Http.PostAsJsonAsync("/exports", new { criteria = new { nonsense = 1 } });
        var problem = (await unknown.Content.ReadFromJsonAsync<Problem>(ClaimCheckJson.Options))!;
        Assert.Equal((422, "validation_failed"), (problem.Status, problem.Code));
        Assert.Contains("criteria.nonsense", problem.Errors!.Keys);

        using var theirs = await scene.Http.PostAsJsonAsync("/exports", new { criteria = new { least = 1 } });
        // Asked again by its key it is asked again, and refused again.
        for (var i = 0; i < 2; i++)
        {
            using var keyed = new HttpRequestMessage(HttpMethod.Post, "/exports")
            {
                Content = JsonContent.Create(new { criteria = new { nonsense = 1 } }),
            };
            keyed.Headers.Add("Idempotency-Key", "refused");
            using var again = await scene.Http.SendAsync(keyed);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, again.StatusCode);
        }

        Assert.Empty((await scene.GetAsync("/exports"))["items"]!.AsArray());
        Assert.Empty(Directory.GetFiles(Path.Combine(scene.State, "deliveries")));
        Assert.Equal(
            ["Is fixed by the route."],
            (await theirs.Content.ReadFromJsonAsync<Problem>(ClaimCheckJson.Options))!.Errors!["criteria.least"]);
        // The first notice is of what was taken.
        await scene.HearsAsync((string)(await scene.AskAsync(new { }))["id"]!, "export.delivered");
        Assert.Single(scene.Consumer.Taken);
    }

    [Fact]
    public async Task Receipts_are_given_until_the_service_takes_them()
    {
        await using var scene = await CreateAsync("ar-4", null, items: 50);
        await using var front = await Front.StartAsync(scene.Service.Address);
        scene.Settings["Service"] = front.Address.ToString();
        foreach (var status in new[] { 503, 429, 500 })
            front.ReceiptAnswers.Enqueue(status);
        await scene.StartAsync();

        var id = (string)(await scene.AskAsync(new { }))["id"]!;
        var delivered = await scene.BecomesAsync(id, "delivered");
        await Eventually.TrueAsync(() => Task.FromResult(front.Receipts.Count == 1));
        Assert.True(BatchId.TryParse((string)delivered["batchId"]!, out var batch));
        await scene.Client.RevokeAsync(batch);
        await Eventually.TrueAsync(() => Task.FromResult(front.Receipts.Count == 2));

        Assert.Equal([ReceiptState.Completed, ReceiptState.Discarded], front.Receipts.Select(each => each.Report.State));
        Assert.All(front.Receipts, each => Assert.Equal((batch.ToString(), "billing"), (each.Batch, each.Consumer)));
        Assert.Equal(50, front.Receipts.First().Report.Succeeded);

        // One that is refused terminally is given up.
        front.ReceiptAnswers.Enqueue(422);
        var other = (string)(await scene.AskAsync(new { }))["id"]!;
        await scene.BecomesAsync(other, "delivered");
        await Eventually.TrueAsync(async () =>
            (await scene.GetAsync($"/exports/{other}"))["duties"]!.AsArray()
                .Any(duty => (string)duty!["kind"]! == "receipt" && duty["givenUp"] is not null));
    }

    private static async Task<AdapterScene> CreateAsync(
        string pattern, string? events, int items = 1000, string dataset = "items")
    {
        var scene = events == "sqs" ? await AdapterScene.CreateWithQueueAsync(items) : await AdapterScene.CreateAsync(items);
        scene.AddRoute("crm", pattern, dataset, notifies: true);
        if (events is not null)
            scene.Settings["Polling"]!["StatusInterval"] = "1.00:00:00"; // nothing but the event may tell
        return scene;
    }
}
