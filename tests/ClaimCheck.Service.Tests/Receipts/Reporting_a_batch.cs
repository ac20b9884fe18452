using System.Text;
using System.Text.Json;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Receipts;

[Collection(ReceiptTests.Name)]
public sealed class Reporting_a_batch(ReceiptService service)
{
    [Fact]
    public async Task A_receipt_is_replaced_until_its_end()
    {
        var batch = await service.BatchAsync("items");
        Assert.Equal(200, (await service.PutAsync(batch, "billing", "received", 0)).Status);
        var processing = await service.Http.SendAsync("PUT", $"{batch}/receipts/billing", ApiClient.Json(
            """{ "state": "processing", "succeeded": 400, "checkpoint": "part-00001:3" }"""u8.ToArray()));
        Assert.Equal(
            ["batchId", "consumer", "state", "succeeded", "transient", "terminal", "checkpoint", "fetchedAt", "createdAt",
                "updatedAt", "age", "links"],
            processing.Json.Names());
        Assert.Equal(("processing", "part-00001:3"), (processing.Json.Text("state"), processing.Json.Text("checkpoint")));
        Assert.StartsWith("PT", processing.Json.Text("age"), StringComparison.Ordinal);
        Assert.Equal("no-store", processing.Header("Cache-Control"));

        Assert.Equal(200, (await service.PutAsync(batch, "billing", "completed", 1000)).Status);
        Assert.Equal(200, (await service.PutAsync(batch, "billing", "completed", 1000)).Status);
        (await service.PutAsync(batch, "billing", "processing", 10)).IsProblem(409, "receipt_ended");
        (await service.PutAsync(batch, "billing", "failed", 0, 1000)).IsProblem(409, "receipt_ended");
        (await service.PutAsync(batch, "billing", "discarded", 0)).IsProblem(409, "batch_not_revoked");
        Assert.Equal(("completed", 1000, 0, 0), await service.CountsAsync(batch, "billing"));
        Assert.Equal(200, (await service.Http.SendAsync("HEAD", $"{batch}/receipts/billing")).Status);

        var shown = (await service.Http.GetAsync(batch)).Json.GetProperty("receipts").EnumerateArray().Single();
        Assert.Equal(
            ("billing", "completed", 1000),
            (shown.Text("consumer"), shown.Text("state"), shown.GetProperty("succeeded").GetInt64()));
    }

    [Theory]
    [InlineData("completed", 999, 0, 0, "counts_do_not_add_up")]
    [InlineData("completed", 999, 1, 0, "counts_do_not_add_up")]
    [InlineData("completed", 1001, 0, 0, "counts_do_not_add_up")]
    [InlineData("partiallyFailed", 999, 1, 0, "counts_do_not_add_up")]
    [InlineData("partiallyFailed", 998, 1, 1, "counts_do_not_add_up")]
    [InlineData("partiallyFailed", 1000, 0, 0, "validation_failed")]
    [InlineData("partiallyFailed", 0, 1000, 0, "counts_do_not_add_up")]
    [InlineData("failed", 0, 0, 0, "counts_do_not_add_up")]
    [InlineData("failed", 1000, 0, 0, "validation_failed")]
    [InlineData("processing", 1001, 0, 0, "validation_failed")]
    [InlineData("failed", 0, 1000, 0, "counts_do_not_add_up")]
    [InlineData("partiallyFailed", 9223372036854775807, 9223372036854775807, 2, "counts_do_not_add_up")]
    public async Task An_end_that_does_not_add_up_is_422(string state, long succeeded, long transient, long terminal, string code)
    {
        var batch = await service.BatchAsync("items");
        (await service.PutAsync(batch, "billing", state, succeeded, transient, terminal)).IsProblem(422, code);
        (await service.Http.GetAsync($"{batch}/receipts/billing")).IsProblem(404, "not_found");
    }

    [Theory]
    [InlineData("partiallyFailed", 998, 1, 1)]
    [InlineData("failed", 998, 1, 1)]
    [InlineData("partiallyFailed", 0, 999, 1)]
    [InlineData("failed", 0, 999, 1)]
    public async Task An_end_with_failures_is_taken_where_it_adds_up(string state, long succeeded, int transient, int terminal)
    {
        var batch = await service.BatchAsync("items");
        var failures = Enumerable.Range(0, transient).Select(i => ((object)i, "transient")).Append((1000, "terminal"));
        Assert.Equal(200, (await service.FailAsync(batch, "billing", failures)).Status);
        (await service.PutAsync(batch, "billing", "completed", succeeded, transient, terminal))
            .IsProblem(422, "validation_failed");
        Assert.Equal(200, (await service.PutAsync(batch, "billing", state, succeeded, transient, terminal)).Status);
        Assert.Equal((state, succeeded, transient, terminal), await service.CountsAsync(batch, "billing"));
    }

    [Fact]
    public async Task An_empty_batch_completes()
    {
        var batch = await service.BatchAsync("empty");
        (await service.PutAsync(batch, "billing", "failed", 0)).IsProblem(422, "validation_failed");
        Assert.Equal(200, (await service.PutAsync(batch, "billing", "completed", 0)).Status);
    }

    [Fact]
    public async Task A_revoked_batch_can_be_discarded_and_what_happened_can_be_told()
    {
        var batch = await service.BatchAsync("items");
        Assert.Equal(200, (await service.PutAsync(batch, "billing", "processing", 10)).Status);
        Assert.Equal(200, (await service.FailAsync(batch, "billing", [(5, "terminal")])).Status);
        Assert.Equal(200, (await service.PutAsync(batch, "crm", "completed", 1000)).Status);
        Assert.Equal(200, (await service.Http.SendAsync("DELETE", batch)).Status);

        (await service.FailAsync(batch, "billing", [(6, "terminal")])).IsProblem(410, "batch_revoked");
        (await service.Http.GetAsync($"{batch}/receipts/billing/failures")).IsProblem(410, "batch_revoked");
        Assert.Equal(200, (await service.PutAsync(batch, "late", "partiallyFailed", 990, 3, 7)).Status);
        foreach (var consumer in (string[])["billing", "crm", "billing"])
            Assert.Equal(200, (await service.PutAsync(batch, consumer, "discarded", 0)).Status);
        (await service.PutAsync(batch, "crm", "completed", 1000)).IsProblem(409, "receipt_ended");
        (await service.RetryAsync(batch, "late")).IsProblem(410, "batch_revoked");
        await Eventually.TrueAsync(async () => await Scene.ScalarAsync<long>(
            service.Scene.Catalog, $"SELECT count(*) FROM record_failures WHERE batch_id = '{batch[^32..]}'") == 0);
    }

    [Fact]
    public async Task Nothing_is_said_of_a_batch_that_is_not_ready()
    {
        var export = await service.Http.AskAsync("""{ "dataset": "endless" }""");
        var batch = $"/v1/batches/{export.Text("batchId")}";
        (await service.PutAsync(batch, "billing", "received", 0)).IsProblem(409, "not_ready");
        (await service.FailAsync(batch, "billing", [(1, "terminal")])).IsProblem(409, "not_ready");
        (await service.RetryAsync(batch, "billing")).IsProblem(409, "not_ready");
        (await service.Http.PostAsync($"{batch}/redeliveries", """{ "consumer": "billing" }""")).IsProblem(409, "not_ready");
        await service.Http.SendAsync("DELETE", batch);
        (await service.PutAsync(batch, "billing", "received", 0)).IsProblem(410, "export_cancelled");
        (await service.RetryAsync(batch, "billing")).IsProblem(410, "export_cancelled");
    }

    [Fact]
    public async Task A_consumer_speaks_for_itself_alone()
    {
        var batch = await service.BatchAsync("items");
        var body = """{ "state": "completed", "succeeded": 1000 }"""u8.ToArray();
        (await service.Http.SendAsync("PUT", $"{batch}/receipts/billing", ApiClient.Json(body), ("ClaimCheck-Consumer", "crm")))
            .IsProblem(403, "other_consumer");
        (await service.Http.PostAsync($"{batch}/receipts/billing/failures", "[]", ("ClaimCheck-Consumer", "crm")))
            .IsProblem(403, "other_consumer");
        (await service.Http.PostAsync($"{batch}/retries", """{ "consumer": "billing" }""", ("ClaimCheck-Consumer", "crm")))
            .IsProblem(403, "other_consumer");
        Assert.Equal(200, (await service.Http.SendAsync(
            "PUT", $"{batch}/receipts/billing", ApiClient.Json(body), ("ClaimCheck-Consumer", "billing"))).Status);
    }

    [Fact]
    public async Task Every_consumer_that_should_have_a_batch_is_listed()
    {
        var batch = await service.BatchAsync("tracked");
        await Scene.SqlAsync(service.Scene.Catalog, """
            INSERT INTO event_subscriptions (id, consumer, datasets, types, protocol, endpoint, disabled_at)
            VALUES (gen_random_uuid(), 'subscribed', '{tracked}', NULL, 'sqs', 'a', NULL), (gen_random_uuid(), 'other', '{items}', NULL, 'sqs', 'b', NULL),
                   (gen_random_uuid(), 'deaf', NULL, '{BulkRevoked}', 'sqs', 'c', NULL), (gen_random_uuid(), 'gone', NULL, NULL, 'sqs', 'd', now())
            """);
        Assert.Equal(200, (await service.PutAsync(batch, "walk-in", "received", 0)).Status);
        await service.Http.GetAsync($"{batch}/manifest", ("ClaimCheck-Consumer", "crm"));
        var first = await service.Http.GetAsync($"{batch}/receipts?limit=3");
        Assert.Equal(["billing", "crm", "subscribed"], first.Items().Select(row => row.Text("consumer")));
        var second = await service.Http.GetAsync($"{batch}/receipts?limit=3&cursor={first.NextCursor()}");
        Assert.Equal(["walk-in"], second.Items().Select(row => row.Text("consumer")));
        Assert.Null(second.NextCursor());
        Assert.Equal((null, null), (first.Items()[0].Text("state"), first.Items()[0].Text("fetchedAt")));
        Assert.NotNull(first.Items()[1].Text("fetchedAt"));
        await Scene.SqlAsync(service.Scene.Catalog, "DELETE FROM event_subscriptions");
    }

    [Theory]
    [InlineData("null", 400)]
    [InlineData("{", 400)]
    [InlineData("[]", 400)]
    [InlineData("{}", 422)]
    [InlineData("""{ "state": "received", "succeeded": -1 }""", 422)]
    [InlineData("""{ "state": "received", "succeeded": 1.5 }""", 422)]
    [InlineData("""{ "state": "received", "succeeded": "1" }""", 422)]
    [InlineData("""{ "state": "received", "succeeded": 99999999999999999999 }""", 422)]
    [InlineData("""{ "state": "RECEIVED" }""", 422)]
    [InlineData("""{ "state": 1 }""", 422)]
    [InlineData("""{ "state": "received", "checkpoint": "\u0000" }""", 422)]
    [InlineData("""{ "state": "received", "checkpoint": "\ud800" }""", 400)]
    [InlineData("""{ "state": "received", "else": 1 }""", 422)]
    public async Task A_hostile_report_is_a_4xx(string body, int status)
    {
        var batch = await service.BatchAsync("items");
        Assert.Equal(status, (await service.Http.SendAsync(
            "PUT", $"{batch}/receipts/billing", ApiClient.Json(Encoding.UTF8.GetBytes(body)))).Status);
        foreach (var call in (string[])["retries", "redeliveries"])
            Assert.InRange((await service.Http.PostAsync($"{batch}/{call}", body)).Status, 400, 499);
        Assert.Equal(
            JsonValueKind.Null, (await service.Http.GetAsync($"{batch}/receipts")).Json.GetProperty("nextCursor").ValueKind);
    }

    [Theory]
    [InlineData("%01")]
    [InlineData("a%20b")]
    [InlineData("..%2fx")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789")]
    public async Task A_name_that_no_consumer_has_is_404(string consumer)
    {
        var batch = await service.BatchAsync("items");
        (await service.PutAsync(batch, consumer, "received", 0)).IsProblem(404, "not_found");
        (await service.Http.GetAsync($"{batch}/receipts/{consumer}")).IsProblem(404, "not_found");
        (await service.Http.GetAsync($"{batch}/receipts/{consumer}/failures")).IsProblem(404, "not_found");
        (await service.Http.PostAsync($"{batch}/receipts/{consumer}/failures", "[]")).IsProblem(404, "not_found");
        (await service.PutAsync("/v1/batches/bat_01890a5dac96774bbcceb302099a8057", "billing", "received", 0))
            .IsProblem(404, "not_found");
    }
}
