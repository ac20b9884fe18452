using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Receipts;

[Collection(ReceiptTests.Name)]
public sealed class Deliveries_and_redeliveries(ReceiptService service)
{
    [Fact]
    public async Task A_delivery_is_met_when_the_last_consumer_has_applied_it()
    {
        var batch = await service.BatchAsync("tracked");
        Assert.Equal(("pending", "billing crm"), await DeliveryAsync(batch));
        var answers = await Task.WhenAll(
            service.PutAsync(batch, "billing", "completed", 1000),
            service.PutAsync(batch, "crm", "completed", 1000, http: service.Patient));
        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Equal(("met", ""), await DeliveryAsync(batch));
        Assert.Equal(0, await OverdueAsync(batch));
    }

    [Fact]
    public async Task A_few_records_may_fail_for_good_once_nothing_is_left_to_retry()
    {
        var batch = await service.BatchAsync("tracked");
        Assert.Equal(200, (await service.PutAsync(batch, "billing", "completed", 1000)).Status);
        Assert.Equal(200, (await service.FailAsync(
            batch, "crm", [(1, "transient"), .. Enumerable.Range(2, 10).Select(i => ((object)i, "terminal"))])).Status);
        Assert.Equal(200, (await service.PutAsync(batch, "crm", "partiallyFailed", 989, 1, 10)).Status);
        Assert.Equal(("pending", "crm"), await DeliveryAsync(batch));
        var retry = await service.RetriedAsync(batch, "crm");
        Assert.Equal(
            System.Text.Json.JsonValueKind.Null, (await service.Http.GetAsync(retry)).Json.GetProperty("delivery").ValueKind);
        Assert.Equal(200, (await service.PutAsync(retry, "crm", "completed", 1)).Status);
        Assert.Equal(("met", ""), await DeliveryAsync(batch));
    }

    [Fact]
    public async Task A_consumer_beyond_repair_misses_the_delivery_at_once()
    {
        var batch = await service.BatchAsync("tracked");
        Assert.Equal(
            200, (await service.FailAsync(batch, "crm", Enumerable.Range(1, 11).Select(i => ((object)i, "terminal")))).Status);
        Assert.Equal(200, (await service.PutAsync(batch, "crm", "partiallyFailed", 989, 0, 11)).Status);
        Assert.Equal(("missed", "billing crm"), await DeliveryAsync(batch));
        Assert.Equal(1, await OverdueAsync(batch));
        Assert.Equal(200, (await service.PutAsync(batch, "billing", "completed", 1000)).Status);
        Assert.Equal(("missed", "crm"), await DeliveryAsync(batch));
        Assert.Equal(1, await OverdueAsync(batch));
    }

    [Fact]
    public async Task A_delivery_that_is_overdue_is_told_once_by_any_number_of_replicas()
    {
        // Tracked: the receipt of billing comes before that one is due, however busy the machine is.
        var billed = await service.BatchAsync("tracked");
        Assert.Equal(200, (await service.PutAsync(billed, "billing", "completed", 1000)).Status);
        await Scene.SqlAsync(
            service.Scene.Catalog, $"UPDATE delivery_goals SET due_at = now() WHERE batch_id = '{billed[^32..]}'");
        string[] batches = [billed, .. await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => service.BatchAsync("hasty")))];
        var revoked = await service.BatchAsync("hasty");
        Assert.Equal(200, (await service.Http.SendAsync("DELETE", revoked)).Status);
        foreach (var batch in batches)
            await Eventually.TrueAsync(async () => (await DeliveryAsync(batch)).State == "missed");
        Assert.Equal(("missed", "crm"), await DeliveryAsync(billed));
        Assert.Equal("pending", (await DeliveryAsync(revoked)).State);
        // Whatever else is late has been looked at once more by then.
        var last = await service.BatchAsync("hasty");
        await Eventually.TrueAsync(async () => (await DeliveryAsync(last)).State == "missed");
        foreach (var batch in batches)
            Assert.Equal(1, await OverdueAsync(batch));
        Assert.Equal(0, await OverdueAsync(revoked));
        var data = await Scene.ScalarAsync<string>(
            service.Scene.Catalog,
            $"SELECT data::text FROM outbox WHERE type = 'BulkOverdue' AND batch_id = '{billed[^32..]}'");
        Assert.Contains("\"missing\":[\"crm\"]", data, StringComparison.Ordinal);
        // Late is better than never, but late.
        Assert.Equal(200, (await service.PutAsync(billed, "crm", "completed", 1000)).Status);
        Assert.Equal(("missed", ""), await DeliveryAsync(billed));
    }

    [Fact]
    public async Task A_redelivery_is_for_one_consumer_alone()
    {
        var batch = await service.BatchAsync("items");
        var asked = await service.Http.PostAsync($"{batch}/redeliveries", """{ "consumer": "billing" }""");
        Assert.Equal(202, asked.Status);
        Assert.Equal(["eventId", "batchId", "consumer"], asked.Json.Names());
        var eventId = asked.Json.Text("eventId")!;
        await Eventually.TrueAsync(async () => (await EventsAsync("billing")).Contains(eventId));
        Assert.Contains(eventId, await EventsAsync(null));
        Assert.DoesNotContain(eventId, await EventsAsync("crm"));

        // Each offer leads to a manifest of its own: nobody's is replaced while it is read.
        var locations = await LocationsAsync(batch[^36..]);
        Assert.Equal(2, locations.Count);
        Assert.EndsWith("/manifest.json", locations[0].AbsolutePath, StringComparison.Ordinal);
        Assert.Matches("/manifest-[0-9a-f]{32}[.]json$", locations[1].AbsolutePath);
        using var http = new HttpClient();
        var manifests = await Task.WhenAll(locations.Select(http.GetStringAsync));
        Assert.All(manifests, manifest => Assert.Contains(batch[^36..], manifest, StringComparison.Ordinal));

        Assert.Equal(200, (await service.Http.SendAsync("DELETE", batch)).Status);
        foreach (var location in locations)
        {
            using var dead = await http.GetAsync(location);
            Assert.Equal(System.Net.HttpStatusCode.NotFound, dead.StatusCode);
        }

        (await service.Http.PostAsync($"{batch}/redeliveries", """{ "consumer": "billing" }""")).IsProblem(410, "batch_revoked");
    }

    private async Task<(string? State, string Missing)> DeliveryAsync(string batch)
    {
        var delivery = (await service.Http.GetAsync(batch)).Json.GetProperty("delivery");
        Assert.Equal(["state", "missing", "dueAt"], delivery.Names());
        Assert.NotNull(delivery.Text("dueAt"));
        return (delivery.Text("state"), string.Join(
            ' ', delivery.GetProperty("missing").EnumerateArray().Select(name => name.GetString())));
    }

    private Task<long> OverdueAsync(string batch) =>
        Scene.ScalarAsync<long>(
            service.Scene.Catalog, $"SELECT count(*) FROM outbox WHERE type = 'BulkOverdue' AND batch_id = '{batch[^32..]}'");

    private async Task<List<Uri>> LocationsAsync(string batchId)
    {
        var locations = new List<Uri>();
        for (string? cursor = null; ;)
        {
            var page = await service.Http.GetAsync($"/v1/events?limit=1000{(cursor is null ? "" : "&after=" + cursor)}");
            locations.AddRange(page.Items()
                .Where(item => item.Text("subject") == batchId && item.Text("type") == "claimcheck.bulk.ready.v1")
                .Select(item => new Uri(item.GetProperty("data").Text("location")!)));
            if (page.Items().Length == 0)
                return locations;
            cursor = page.Json.Text("nextCursor");
        }
    }

    private async Task<List<string?>> EventsAsync(string? consumer)
    {
        var ids = new List<string?>();
        for (string? cursor = null; ;)
        {
            var page = await service.Http.GetAsync(
                $"/v1/events?limit=1000{(cursor is null ? "" : "&after=" + cursor)}",
                consumer is null ? [] : [("ClaimCheck-Consumer", consumer)]);
            ids.AddRange(page.Items().Select(item => item.Text("id")));
            if (page.Items().Length == 0)
                return ids;
            cursor = page.NextCursor();
        }
    }
}
