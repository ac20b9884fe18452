using System.Net.Http.Json;
using System.Text.Json;
using ClaimCheck.Contracts;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

public sealed class Records_that_fail(ConsumerLab lab) : IClassFixture<ConsumerLab>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Those_that_may_succeed_are_retried_alone_and_only_the_others_are_left(bool byQueue)
    {
        using var consumer = byQueue ? await lab.NewConsumerAsync() : await lab.NewFollowerAsync();
        // One in a thousand fails the first time, one in five thousand whenever it is tried.
        await consumer.SqlAsync("""
            INSERT INTO fates (key, rounds, terminal)
            SELECT key, CASE WHEN key % 1000 = 0 THEN 1 ELSE 0 END, key % 5000 = 1 FROM generate_series(1, 10000) key WHERE key % 1000 = 0 OR key % 5000 = 1
            """);
        consumer.Start(setup => setup with { ChunkSize = 500 });
        long[] transient = [.. Enumerable.Range(1, 10).Select(at => at * 1000L)];
        long[] terminal = [1, 5001];

        var export = await lab.ExportAsync(ConsumerLab.Items);
        var seen = new List<(long Transient, long Terminal)>();
        var receipt = await consumer.EndedAsync(export.BatchId, now =>
        {
            Assert.Equal(ConsumerLab.Items, now.Succeeded + now.Transient + now.Terminal);
            seen.Add((now.Transient, now.Terminal));
            return now.Transient == 0;
        });

        Assert.Equal(
            (ReceiptState.PartiallyFailed, ConsumerLab.Items - 2L, 0L, 2L),
            (receipt.State, receipt.Succeeded, receipt.Transient, receipt.Terminal));
        Assert.Equal([(10, 2), (0, 2)], seen.Distinct());
        Assert.Equal((1, (BatchId?)null), (receipt.Rounds!.Used, receipt.Rounds.Running));
        var retry = await RetryOfAsync(export.BatchId);
        Assert.Equal(10, (await lab.Client.GetManifestAsync(retry)).Records);
        Assert.Equal(transient, await KeysAsync(retry));
        Assert.Equal(transient, (await consumer.SeenAsync(retry)).Keys.Order());
        var retried = await consumer.EndedAsync(retry);
        Assert.Equal((ReceiptState.Completed, 10L), (retried.State, retried.Succeeded));

        var applied = await consumer.AppliedAsync(export.BatchId);
        Assert.Equal(Enumerable.Range(1, ConsumerLab.Items).Select(key => (long)key).Except(terminal), applied.Keys.Order());
        Assert.All(applied.Values, times => Assert.Equal(1, times));
        var failures = await FailuresAsync(export.BatchId, consumer.Name, FailureClass.Terminal);
        Assert.Equal(terminal, failures.Select(failure => long.Parse(failure.Key)).Order());
        Assert.All(failures, failure => Assert.Equal((FailureClass.Terminal, "unknown_item"), (failure.Class, failure.Code)));
        Assert.Empty(await FailuresAsync(export.BatchId, consumer.Name, FailureClass.Transient));
        if (byQueue)
            await consumer.DrainedAsync();
    }

    private async Task<BatchId> RetryOfAsync(BatchId batch)
    {
        var found = new List<BatchId>();
        string? cursor = null;
        while (true)
        {
            var page = await lab.Client.ReadEventsAsync(cursor);
            foreach (var ready in page.Items.Where(each => EventTypes.FromCloudEventType(each.Type) == EventTypes.BulkReady))
            {
                if (ready.Data.Deserialize<BulkReadyData>(ClaimCheckJson.Options)! is { RetryOf: { } of } data && of == batch)
                    found.Add(data.BatchId);
            }
            if (page.Items.Count == 0)
                return Assert.Single(found);
            cursor = page.NextCursor;
        }
    }

    private async Task<IEnumerable<long>> KeysAsync(BatchId batch)
    {
        using var http = lab.Service.NewHttp();
        var page = await http.GetFromJsonAsync<JsonElement>($"/v1/batches/{batch}/records?limit=1000");
        return page.GetProperty("items").EnumerateArray().Select(record => record.GetProperty("id").GetInt64()).Order();
    }

    private async Task<IReadOnlyList<RecordFailure>> FailuresAsync(BatchId batch, string consumer, string failureClass)
    {
        using var http = lab.Service.NewHttp();
        http.DefaultRequestHeaders.Accept.Add(new("application/x-ndjson"));
        using var answer = await http.GetAsync($"/v1/batches/{batch}/receipts/{consumer}/failures?class={failureClass}");
        Assert.Equal("application/x-ndjson", answer.EnsureSuccessStatusCode().Content.Headers.ContentType!.MediaType);
        var lines = (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => JsonSerializer.Deserialize<RecordFailure>(line, ClaimCheckJson.Options)!)];
    }
}
