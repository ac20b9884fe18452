using System.Text;
using System.Text.Json;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Receipts;

/// <summary>What a caller can make grow ends somewhere, and says so.</summary>
[Collection(ReceiptTests.Name)]
public sealed class Limits_of_lists(ReceiptService service)
{
    [Fact]
    public async Task Names_that_are_invented_do_not_make_the_list_of_those_who_fetched_links_grow()
    {
        var batch = await service.BatchAsync("items");
        await Scene.SqlAsync(
            service.Scene.Catalog, $"INSERT INTO redemptions (batch_id, caller, last_at) SELECT '{IdOf(batch)}', 'c' || g, now() "
                + "- interval '1 hour' FROM generate_series(1, 999) g");
        foreach (var name in (string[])["first", "second", "third", "first"])
            Assert.Equal(200, (await service.Http.GetAsync(batch + "/manifest", ("ClaimCheck-Consumer", name))).Status);

        Assert.Equal(1001, await Scene.ScalarAsync<long>(
            service.Scene.Catalog, $"SELECT count(*) FROM redemptions WHERE batch_id = '{IdOf(batch)}'"));
        await AssertAsync((await service.Http.GetAsync(batch)).Json);
        await AssertAsync((await service.Http.SendAsync("DELETE", batch)).Json);

        static Task AssertAsync(JsonElement shown)
        {
            var redeemed = shown.GetProperty("redeemed").EnumerateArray()
                .ToDictionary(who => who.Text("caller")!, who => who.GetProperty("times").GetInt64());
            Assert.Equal((100, 1001), (redeemed.Count, shown.GetProperty("redeemedTotal").GetInt32()));
            Assert.Equal((2, 2), (redeemed["first"], redeemed["(others)"]));
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_batch_has_a_thousand_consumers_that_report_and_as_many_events()
    {
        var batch = await service.BatchAsync("items");
        Assert.Equal(200, (await service.PutAsync(batch, "billing", "processing", 1)).Status);
        await CopyAsync("receipts", $"batch_id = '{IdOf(batch)}'", "'consumer', 'c' || g");
        (await service.PutAsync(batch, "another", "processing", 1)).IsProblem(409, "limit_reached");
        (await service.FailAsync(batch, "another", [("1", "terminal")])).IsProblem(409, "limit_reached");
        Assert.Equal(200, (await service.PutAsync(batch, "billing", "processing", 2)).Status);
        Assert.Equal(200, (await service.FailAsync(batch, "c5", [("1", "terminal")])).Status);

        // As published long ago.
        await Scene.SqlAsync(service.Scene.Catalog, $"""
            INSERT INTO outbox (event_id, export_id, batch_id, tenant, dataset, type, data, traceparent, superseded_at)
            SELECT gen_random_uuid(), export_id, batch_id, tenant, dataset, type, data, traceparent, now() FROM outbox, generate_series(1, 999) WHERE batch_id = '{IdOf(batch)}'
            """);
        (await service.Http.PostAsync(batch + "/redeliveries", """{ "consumer": "another" }""")).IsProblem(409, "limit_reached");
    }

    [Fact]
    public async Task There_are_a_thousand_schedules_and_subscriptions()
    {
        const string paused =
            """{ "cron": "0 0 2 * * ?", "timeZone": "UTC", "paused": true, "export": { "dataset": "items" } }""";
        static object Hook(string consumer) => new { consumer, protocol = "webhook", endpoint = "https://1.1.1.1/hook" };
        try
        {
            Assert.Equal(201, (await PutScheduleAsync("limit-first")).Status);
            await CopyAsync("schedules", "name = 'limit-first'", "'id', gen_random_uuid(), 'name', 'limit-' || g");
            (await PutScheduleAsync("limit-more")).IsProblem(409, "limit_reached");
            Assert.Equal(200, (await PutScheduleAsync("limit-first")).Status);

            Assert.Equal(201, (await SubscribeAsync("limit-first")).Status);
            await CopyAsync("subscriptions", "consumer = 'limit-first'", "'id', gen_random_uuid(), 'consumer', 'limit-' || g");
            (await SubscribeAsync("limit-more")).IsProblem(409, "limit_reached");
            Assert.Equal(200, (await SubscribeAsync("limit-first")).Status);
        }
        finally
        {
            await Scene.SqlAsync(
                service.Scene.Catalog,
                "DELETE FROM schedules WHERE name LIKE 'limit-%'; DELETE FROM event_subscriptions WHERE consumer LIKE 'limit-%'");
        }

        Task<Answer> PutScheduleAsync(string name) =>
            service.Http.SendAsync("PUT", $"/v1/schedules/{name}", ApiClient.Json(Encoding.UTF8.GetBytes(paused)));

        Task<Answer> SubscribeAsync(string consumer) =>
            service.Http.PostAsync("/v1/subscriptions", JsonSerializer.Serialize(Hook(consumer)));
    }

    [Fact]
    public async Task A_large_body_lies_in_the_data_directory_without_a_name()
    {
        var batch = await service.BatchAsync("items");
        using var half = new HalfStream(Encoding.UTF8.GetBytes(
            string.Concat(Enumerable.Repeat("{\"key\":\"1\",\"class\":\"transient\",\"code\":\"db_down\"}\n", 10_000))));
        using var stop = new CancellationTokenSource();
        using var http = new HttpClient { BaseAddress = service.Http.Address };
        using var body = new StreamContent(half);
        body.Headers.ContentType = new("application/x-ndjson");
        var sending = http.PostAsync($"{batch}/receipts/billing/failures", body, stop.Token);
        var folder = Path.Combine(service.Scene.DataDirectory, "tmp");
        await Eventually.TrueAsync(
            () => Task.FromResult(OpenFiles().Exists(link => link.StartsWith(folder, StringComparison.Ordinal))));

        // Nothing that a kill could leave.
        Assert.Empty(Directory.GetFiles(folder));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        await Eventually.TrueAsync(
            () => Task.FromResult(!OpenFiles().Exists(link => link.StartsWith(folder, StringComparison.Ordinal))));
    }

    private Task CopyAsync(string table, string of, string otherwise) => Scene.SqlAsync(
        service.Scene.Catalog,
        $"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object({otherwise}))).* FROM {table} t, "
        + $"generate_series(1, 999) g WHERE {of}");

    private static Guid IdOf(string batch) => Guid.Parse(batch[(batch.LastIndexOf('_') + 1)..]);

    // Of every process that may be looked at: the services run as children of this one.
    private static List<string> OpenFiles()
    {
        var found = new List<string>();
        foreach (var process in Directory.GetDirectories("/proc").Where(path => Path.GetFileName(path).All(char.IsAsciiDigit)))
        {
            try
            {
                found.AddRange(
                    Directory.GetFiles(Path.Combine(process, "fd")).Select(file => new FileInfo(file).LinkTarget ?? ""));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended, or is somebody else's.
            }
        }

        return found;
    }

    private sealed class HalfStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (await base.ReadAsync(buffer, cancellationToken) is var count and > 0)
                return count;
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }

        public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            await base.CopyToAsync(destination, bufferSize, cancellationToken);
            await destination.FlushAsync(cancellationToken);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
    }
}
