using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Receipts;

[Collection(ReceiptTests.Name)]
public sealed class Retrying_failures(ReceiptService service)
{
    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task One_record_in_a_thousand_is_sent_again_and_one_never(string format)
    {
        var (batch, ids) = await service.FickleAsync(3000, $$""", "format": "{{format}}" """);
        Assert.Equal(200, (await service.FailAsync(batch, "billing", [(ids[7], "transient"), (ids[1007], "transient"),
            (ids[2007], "transient"), (ids[9], "terminal")])).Status);
        var reported = await service.PutAsync(batch, "billing", "partiallyFailed", 2996, 3, 1);
        Assert.Equal(200, reported.Status);
        Assert.EndsWith("/retries", reported.Json.Link("retry"), StringComparison.Ordinal);

        var retry = await service.RetriedAsync(batch, "billing");
        Assert.Equal([ids[7], ids[1007], ids[2007]], (await service.IdsAsync(retry)).Order());
        var shown = (await service.Http.GetAsync(retry)).Json;
        Assert.Equal(batch[^36..], shown.Text("retryOf"));
        Assert.Equal(["billing"], shown.GetProperty("receipts").EnumerateArray().Select(row => row.Text("consumer")));
        (await service.PutAsync(retry, "crm", "completed", 3)).IsProblem(403, "other_consumer");

        // Its BulkReady is for that consumer alone.
        Assert.Contains(retry[^36..], await ReadySubjectsAsync("billing"));
        Assert.DoesNotContain(retry[^36..], await ReadySubjectsAsync("crm"));
        Assert.Contains(batch[^36..], await ReadySubjectsAsync("crm"));

        Assert.Equal(200, (await service.FailAsync(retry, "billing", [(ids[7], "terminal"), (ids[1007], "transient")])).Status);
        Assert.Equal(200, (await service.PutAsync(retry, "billing", "partiallyFailed", 1, 1, 1)).Status);
        Assert.Equal(("partiallyFailed", 2997, 1, 2), await service.CountsAsync(batch, "billing"));
        var left = (await service.Http.GetAsync($"{batch}/receipts/billing/failures?class=transient")).Items();
        Assert.Equal([$"{ids[1007]}"], left.Select(failure => failure.Text("key")));

        // What was said of the original may be said again, and changes nothing.
        Assert.Equal(200, (await service.PutAsync(batch, "billing", "partiallyFailed", 2996, 3, 1)).Status);
        Assert.Equal(200, (await service.FailAsync(batch, "billing", [(ids[7], "transient"), (ids[9], "terminal")])).Status);
        (await service.FailAsync(batch, "billing", [(ids[7], "terminal")])).IsProblem(409, "receipt_ended");
        Assert.Equal(("partiallyFailed", 2997, 1, 2), await service.CountsAsync(batch, "billing"));

        // A retry of the retry is one of the original.
        var second = await service.RetriedAsync(retry, "billing");
        Assert.Equal([ids[1007]], await service.IdsAsync(second));
        Assert.Equal(batch[^36..], (await service.Http.GetAsync(second)).Json.Text("retryOf"));
        Assert.Equal(200, (await service.PutAsync(second, "billing", "completed", 1)).Status);
        Assert.Equal(("partiallyFailed", 2998, 0, 2), await service.CountsAsync(batch, "billing"));
        (await service.RetryAsync(batch, "billing")).IsProblem(409, "nothing_to_retry");
    }

    [Fact]
    public async Task A_receipt_whose_last_failure_succeeds_is_completed()
    {
        var (batch, ids) = await service.FickleAsync(10);
        await FailedAsync(batch, 10, ids[3]);
        var retry = await service.RetriedAsync(batch, "billing");
        Assert.Equal(200, (await service.PutAsync(retry, "billing", "completed", 1)).Status);
        Assert.Equal(("completed", 10, 0, 0), await service.CountsAsync(batch, "billing"));
        Assert.Empty((await service.Http.GetAsync($"{batch}/receipts/billing/failures")).Items());
        var rounds = (await service.Http.GetAsync($"{batch}/receipts/billing")).Json.GetProperty("rounds");
        Assert.Equal((1, 3), (rounds.GetProperty("used").GetInt32(), rounds.GetProperty("most").GetInt32()));
    }

    [Fact]
    public async Task A_record_that_is_gone_from_the_source_has_failed_for_good()
    {
        var (batch, ids) = await service.FickleAsync(10);
        // Of these, three are still there under their keys; the others never were, in one way or another.
        await FailedAsync(batch, 10, ids[1], ids[2], ids[3], "0" + ids[4], "no number", "99999999999999999999",
            "'; DROP TABLE fickle; --", "\\\"}{,");
        await Scene.SqlAsync(service.Scene.Source, $"DELETE FROM fickle WHERE id = {ids[1]}");
        var retry = await service.RetriedAsync(batch, "billing");
        Assert.Equal([ids[2], ids[3]], (await service.IdsAsync(retry)).Order());
        Assert.Equal(("partiallyFailed", 2, 2, 6), await service.CountsAsync(batch, "billing"));
        var gone = (await service.Http.GetAsync($"{batch}/receipts/billing/failures?class=terminal")).Items();
        Assert.All(gone, failure => Assert.Equal("record_gone", failure.Text("code")));
        Assert.Contains($"{ids[1]}", gone.Select(failure => failure.Text("key")));

        // The rest goes too: a batch without records, and nothing to tell the consumer.
        await Scene.SqlAsync(service.Scene.Source, $"DELETE FROM fickle WHERE id = ANY ('{{{ids[2]},{ids[3]}}}')");
        Assert.Equal(200, (await service.FailAsync(retry, "billing", [(ids[2], "transient"), (ids[3], "transient")])).Status);
        Assert.Equal(200, (await service.PutAsync(retry, "billing", "failed", 0, 2)).Status);
        var nothing = await service.RetriedAsync(batch, "billing");
        Assert.Empty(await service.IdsAsync(nothing));
        Assert.Equal(("partiallyFailed", 2, 0, 8), await service.CountsAsync(batch, "billing"));
        Assert.DoesNotContain(nothing[^36..], await ReadySubjectsAsync("billing"));
    }

    [Fact]
    public async Task A_round_is_held_to_the_limits_of_its_dataset()
    {
        var batch = await service.BatchAsync("growing");
        await FailedAsync(batch, 5, 2, 3);
        await Scene.SqlAsync(service.Scene.Source,
            "UPDATE growing SET name = (SELECT string_agg(md5(g::text), '') FROM generate_series(1, 1000) g) WHERE id = 3");

        var asked = await service.RetryAsync(batch, "billing");
        var failed = (await service.Http.GetAsync(asked.Header("Location")!, ("Prefer", "wait=60"))).Json;

        Assert.Equal(("failed", "export_too_large"), (failed.Text("state"), failed.GetProperty("failure").Text("code")));
        Assert.Equal(("partiallyFailed", 3, 2, 0), await service.CountsAsync(batch, "billing"));
    }

    [Fact]
    public async Task Keys_that_JSON_writes_in_its_own_way_are_found()
    {
        await Scene.SqlAsync(service.Scene.Source, "INSERT INTO stamped SELECT '2026-01-01'::timestamptz + g * interval '1.5 "
            + "hours', 'n' || g FROM generate_series(1, 20) g ON CONFLICT DO NOTHING");
        var batch = await service.BatchAsync("stamped", """, "format": "ndjson" """);
        var keys = (await service.Http.GetAsync($"{batch}/records")).Items().Select(record => record.Text("id")!).ToList();
        await FailedAsync(batch, 20, keys[3], keys[12]);
        var retry = await service.RetriedAsync(batch, "billing");
        Assert.Equal([keys[3], keys[12]], (await service.Http.GetAsync($"{retry}/records")).Items()
            .Select(record => record.Text("id")!).Order(StringComparer.Ordinal));
        Assert.Equal(("partiallyFailed", 18, 2, 0), await service.CountsAsync(batch, "billing"));
    }

    [Fact]
    public async Task Many_calls_at_once_make_one_round()
    {
        var (batch, ids) = await service.FickleAsync(100);
        await FailedAsync(batch, 100, ids[1]);
        var answers = await Task.WhenAll(Enumerable.Range(0, 16)
            .Select(i => service.RetryAsync(batch, "billing", i % 2 == 0 ? service.Http : service.Patient)));
        Assert.All(answers, answer => Assert.Equal(202, answer.Status));
        Assert.Single(answers.Select(answer => answer.Json.Text("exportId")).Distinct());
        Assert.All(answers, answer => Assert.Equal(answer.Header("Location"), "/v1/exports/" + answer.Json.Text("exportId")));
        Assert.Equal(1, await Scene.ScalarAsync<long>(
            service.Scene.Catalog, $"SELECT count(*) FROM exports WHERE retry_of = '{batch[^32..]}'"));
    }

    [Fact]
    public async Task What_is_transient_after_the_last_round_has_failed_for_good()
    {
        var (batch, ids) = await service.FickleAsync(10);
        await FailedAsync(batch, 10, ids[1], ids[2]);
        for (var round = 1; round <= 3; round++)
        {
            var retry = await service.RetriedAsync(batch, "billing");
            Assert.Equal(200, (await service.FailAsync(retry, "billing", [(ids[1], "transient"), (ids[2], "transient")])).Status);
            Assert.Equal(200, (await service.PutAsync(retry, "billing", "failed", 0, 2)).Status);
            Assert.Equal(
                ("partiallyFailed", 8, round < 3 ? 2 : 0, round < 3 ? 0 : 2), await service.CountsAsync(batch, "billing"));
        }

        (await service.RetryAsync(batch, "billing")).IsProblem(409, "nothing_to_retry");
        Assert.All((await service.Http.GetAsync($"{batch}/receipts/billing/failures")).Items(), failure =>
            Assert.Equal(
                ("terminal", "db_down", "Still transient after the last of 3 rounds of retries."),
                (failure.Text("class"), failure.Text("code"), failure.Text("message"))));
    }

    [Fact]
    public async Task A_round_follows_the_one_before_after_a_wait()
    {
        var (batch, ids) = await service.FickleAsync(10);
        await FailedAsync(batch, 10, ids[1]);
        var retry = await service.RetriedAsync(batch, "billing");
        Assert.Equal(200, (await service.FailAsync(retry, "billing", [(ids[1], "transient")])).Status);
        Assert.Equal(200, (await service.PutAsync(retry, "billing", "failed", 0, 1, http: service.Patient)).Status);
        var early = await service.RetryAsync(batch, "billing");
        early.IsProblem(409, "retry_too_early");
        Assert.InRange(int.Parse(early.Header("Retry-After")!), 3500, 3600);
        Assert.NotNull((await service.Http.GetAsync($"{batch}/receipts/billing")).Json.GetProperty("rounds").Text("nextAt"));
    }

    [Fact]
    public async Task A_retry_that_ends_without_an_outcome_leaves_its_records_to_be_tried_again()
    {
        var (batch, ids) = await service.FickleAsync(10);
        await FailedAsync(batch, 10, ids[1], ids[2]);
        var retry = await service.RetriedAsync(batch, "billing");
        Assert.Equal(200, (await service.Http.SendAsync("DELETE", retry)).Status);
        var second = await service.RetryAsync(batch, "billing", service.Http);
        Assert.NotEqual(retry[^36..], second.Status == 202 ? second.Json.Text("batchId") : "");
        await Eventually.TrueAsync(
            async () => (await service.Http.GetAsync($"{batch}/receipts/billing")).Json.GetProperty("rounds") is var rounds
                && (second.Status == 202 || rounds.GetProperty("nextAt").ValueKind != System.Text.Json.JsonValueKind.Null));
        Assert.Equal(("partiallyFailed", 8, 2, 0), await service.CountsAsync(batch, "billing"));
    }

    [Fact]
    public async Task A_late_word_of_a_retry_that_was_revoked_still_counts()
    {
        var (batch, ids) = await service.FickleAsync(10);
        await FailedAsync(batch, 10, ids[1], ids[2]);
        var retry = await service.RetriedAsync(batch, "billing");
        Assert.Equal(200, (await service.Http.SendAsync("DELETE", retry)).Status);
        Assert.Equal(200, (await service.PutAsync(retry, "billing", "completed", 2)).Status);
        Assert.Equal(("completed", 10, 0, 0), await service.CountsAsync(batch, "billing"));
        // And what it then undoes is to be tried again.
        Assert.Equal(200, (await service.PutAsync(retry, "billing", "discarded", 0)).Status);
        Assert.Equal(("partiallyFailed", 8, 2, 0), await service.CountsAsync(batch, "billing"));
    }

    [Fact]
    public async Task Revoking_the_original_revokes_its_retries()
    {
        var (batch, ids) = await service.FickleAsync(10);
        await FailedAsync(batch, 10, ids[1]);
        var retry = await service.RetriedAsync(batch, "billing");
        var report = await service.Http.SendAsync("DELETE", batch);
        Assert.Equal([retry[^36..]], report.Json.GetProperty("cascaded").EnumerateArray().Select(id => id.GetString()));
        Assert.Equal("revoked", (await service.Http.GetAsync(retry)).Json.Text("state"));
        (await service.Http.GetAsync($"{retry}/records")).IsProblem(410, "batch_revoked");
        (await service.RetryAsync(retry, "billing")).IsProblem(410, "batch_revoked");
    }

    [Fact]
    public async Task Failures_of_records_that_a_retry_does_not_hold_are_refused()
    {
        var (batch, ids) = await service.FickleAsync(10);
        await FailedAsync(batch, 10, ids[1], ids[2]);
        var retry = await service.RetriedAsync(batch, "billing");
        Assert.Equal(200, (await service.FailAsync(retry, "billing", [(ids[5], "terminal")])).Status);
        (await service.PutAsync(retry, "billing", "partiallyFailed", 1, 0, 1)).IsProblem(422, "counts_do_not_add_up");
        Assert.Equal(("partiallyFailed", 8, 2, 0), await service.CountsAsync(batch, "billing"));
    }

    [Fact]
    public async Task Without_an_end_or_a_receipt_there_is_nothing_to_retry()
    {
        var (batch, ids) = await service.FickleAsync(10);
        (await service.RetryAsync(batch, "billing")).IsProblem(409, "nothing_to_retry");
        Assert.Equal(200, (await service.FailAsync(batch, "billing", [(ids[1], "transient")])).Status);
        (await service.RetryAsync(batch, "billing")).IsProblem(409, "nothing_to_retry");
        (await service.RetryAsync("/v1/batches/bat_01890a5dac96774bbcceb302099a8057", "billing")).IsProblem(404, "not_found");
    }

    private async Task FailedAsync(string batch, int records, params object[] transient)
    {
        Assert.Equal(200, (await service.FailAsync(batch, "billing", transient.Select(key => (key, "transient")))).Status);
        var reported = await service.PutAsync(batch, "billing", "partiallyFailed", records - transient.Length, transient.Length);
        Assert.True(reported.Status == 200, reported.Text);
    }

    // The relay gives an event its place soon after the batch is ready; a reader behind a later one has seen it.
    private async Task<List<string?>> ReadySubjectsAsync(string consumer)
    {
        var waiting = "SELECT count(*) FROM outbox WHERE position IS NULL AND superseded_at IS NULL";
        await Eventually.TrueAsync(async () => await Scene.ScalarAsync<long>(service.Scene.Catalog, waiting) == 0);
        var subjects = new List<string?>();
        for (string? cursor = null; ;)
        {
            var page = await service.Http.GetAsync(
                $"/v1/events?limit=1000{(cursor is null ? "" : "&after=" + cursor)}", ("ClaimCheck-Consumer", consumer));
            subjects.AddRange(
                page.Items().Where(item => item.Text("type") == "claimcheck.bulk.ready.v1").Select(item => item.Text("subject")));
            if (page.Items().Length == 0)
                return subjects;
            cursor = page.NextCursor();
        }
    }
}
