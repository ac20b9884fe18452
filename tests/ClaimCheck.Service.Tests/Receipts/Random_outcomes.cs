using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Receipts;

/// <summary>Whatever a consumer reports, in whatever order and however often: outcomes add up, and only transient failures
/// are sent again.</summary>
[Collection(ReceiptTests.Name)]
public sealed class Random_outcomes(ReceiptService service)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Outcomes_add_up(int seed)
    {
        var random = new Random(seed);
        var rows = random.Next(1, 40);
        var (batch, ids) = await service.FickleAsync(rows, random.Next(2) == 0 ? """, "format": "ndjson" """ : "");
        var outcome = ids.ToDictionary(id => id, _ => "sent");
        var present = new HashSet<long>(ids);
        var current = batch;
        while (true)
        {
            var sent = outcome.Where(entry => entry.Value == "sent").Select(entry => entry.Key).ToList();
            Assert.Equal(sent.Order(), (await service.IdsAsync(current)).Order());
            foreach (var id in sent)
                outcome[id] = random.Next(10) switch { < 4 => "transient", < 5 => "terminal", _ => "succeeded" };
            await ReportAsync(random, current, sent.ToDictionary(id => id, id => outcome[id]));
            var used = (await service.Http.GetAsync($"{batch}/receipts/billing")).Json is var receipt
                && receipt.TryGetProperty("rounds", out var rounds) ? rounds.GetProperty("used").GetInt32() : 0;
            if (used == 3)
                Turn("transient", "terminal");
            await AddsUpAsync();

            // Some records disappear from the source; what is left to be tried again is sent again, and nothing else.
            foreach (var id in ids.Where(_ => random.Next(8) == 0))
                present.Remove(id);
            await Scene.SqlAsync(
                service.Scene.Source,
                $"DELETE FROM fickle WHERE id BETWEEN {ids[0]} AND {ids[^1]} AND id <> ALL ('{{{string.Join(',', present)}}}')");
            if (!outcome.ContainsValue("transient"))
                break;
            current = await service.RetriedAsync(random.Next(2) == 0 ? batch : current, "billing");
            foreach (var id in outcome.Where(entry => entry.Value == "transient").Select(entry => entry.Key).ToList())
                outcome[id] = present.Contains(id) ? "sent" : "terminal";
            if (!outcome.ContainsValue("sent"))
                break; // all gone: there is nothing to report
        }

        await AddsUpAsync();
        (await service.RetryAsync(batch, "billing")).IsProblem(409, "nothing_to_retry");
        return;

        void Turn(string from, string to)
        {
            foreach (var id in outcome.Where(entry => entry.Value == from).Select(entry => entry.Key).ToList())
                outcome[id] = to;
        }

        async Task AddsUpAsync()
        {
            var (state, succeeded, transient, terminal) = await service.CountsAsync(batch, "billing");
            Assert.Equal(rows, succeeded + transient + terminal);
            Assert.Equal((Count("succeeded"), Count("transient"), Count("terminal")), (succeeded, transient, terminal));
            Assert.Equal(succeeded == rows ? "completed" : succeeded == 0 ? "failed" : "partiallyFailed", state);
            var listed = (await service.Http.GetAsync($"{batch}/receipts/billing/failures?limit=1000")).Items();
            Assert.Equal(
                outcome.Where(entry => entry.Value != "succeeded").Select(entry => $"{entry.Key} {entry.Value}")
                    .Order(StringComparer.Ordinal),
                listed.Select(failure => $"{failure.Text("key")} {failure.Text("class")}").Order(StringComparer.Ordinal));

            long Count(string what) => outcome.Values.Count(value => value == what);
        }
    }

    // In portions, with duplicates and changes of mind, and the end more than once.
    private async Task ReportAsync(Random random, string batch, Dictionary<long, string> outcome)
    {
        var failed = outcome.Where(entry => entry.Value != "succeeded")
            .Select(entry => ((object)entry.Key, entry.Value)).ToArray();
        random.Shuffle(failed);
        Assert.Equal(200, (await service.FailAsync(
            batch, "billing", failed.Select(failure => (failure.Item1, random.Next(2) == 0 ? "transient" : "terminal")))).Status);
        foreach (var portion in failed.Chunk(random.Next(1, 10)))
            Assert.Equal(200, (await service.FailAsync(batch, "billing", [.. portion, portion[0]])).Status);
        long Count(string what) => outcome.Values.Count(value => value == what);
        var (succeeded, transient, terminal) = (Count("succeeded"), Count("transient"), Count("terminal"));
        var state = transient + terminal == 0 ? "completed" : succeeded == 0 ? "failed" : "partiallyFailed";
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 3).Select(_ => service.PutAsync(batch, "billing", state, succeeded, transient, terminal)));
        Assert.All(answers, answer => Assert.True(answer.Status == 200, answer.Text));
        if (failed.Length > 0)
            Assert.Equal(200, (await service.FailAsync(batch, "billing", failed)).Status);
    }
}
