using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Tests.Revocation;

namespace ClaimCheck.Service.Tests.Publishing;

/// <summary>No event has 8 KiB, whatever it tells, however it goes out.</summary>
public sealed class Sizes_of_events
{
    private const string Subject = "bat_00000000000070008000000000000001";

    public static TheoryData<string> Texts =>
        [new('x', 300_000), new('"', 9_000), new('\u0001', 20_000), Repeat("\U0001F600", 40_000), Repeat("ä€", 5_000)];

    [Theory]
    [MemberData(nameof(Texts))]
    public void A_long_text_is_cut_between_two_characters_and_ids_stay(string text)
    {
        var cut = Fit(
            new BulkFailedData(ExportId.New(), BatchId.New(), "items", new("source_query_failed", text, Transient: false)));

        var data = cut.Deserialize<BulkFailedData>(ClaimCheckJson.Options)!;
        Assert.Equal(("items", "source_query_failed"), (data.Dataset, data.Failure.Code));
        Assert.EndsWith("…", data.Failure.Detail, StringComparison.Ordinal);
        Assert.True(data.Failure.Detail.Length >= 256, "Something of it is told.");
        Assert.DoesNotContain("\uFFFD", data.Failure.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_list_is_cut_and_says_how_many_more_there_are()
    {
        var missing = Enumerable.Range(0, 5000).Select(i => $"consumer-{i}").ToList();

        var data = Fit(new BulkOverdueData(ExportId.New(), BatchId.New(), "items", missing,
            DateTimeOffset.UnixEpoch)).Deserialize<BulkOverdueData>(ClaimCheckJson.Options)!;

        Assert.Equal(missing.Take(data.Missing.Count), data.Missing);
        Assert.InRange(data.Missing.Count, 200, 1000);
        Assert.Equal(5000 - data.Missing.Count, data.MissingMore);
        Assert.DoesNotContain(
            "missingMore",
            Fit(new BulkOverdueData(ExportId.New(), BatchId.New(), "items", ["crm"], DateTimeOffset.UnixEpoch)).GetRawText(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_the_data_are_they_fit()
    {
        var random = new Random(4711);
        for (var round = 0; round < 200; round++)
        {
            var data = JsonSerializer.SerializeToElement(Any(random, depth: 0), ClaimCheckJson.Options);
            var most = random.Next(64, 8000);
            var cut = EventSize.Fit(data, most);
            Assert.True(EventSize.Of(cut) <= Math.Max(most, 2), $"Round {round}: {EventSize.Of(cut)} bytes, {most} at most.");
            if (EventSize.Of(data) <= most)
                Assert.Equal(data.GetRawText(), cut.GetRawText());
        }
    }

    [Fact]
    public void A_failure_is_kept_short_and_told_by_what_differs()
    {
        Assert.Equal("abc", BoundedText.Cut("abc", 3));
        Assert.Equal("ab…", BoundedText.Cut("abcd", 3));
        Assert.Equal("a…", BoundedText.Cut("a\U0001F600bc", 3));
        Assert.Equal("a\uFFFDb", BoundedText.Cut("a\0b", 10));
        Assert.Equal("a, b and 3 more", BoundedText.List(["a", "b", "c", "d", "e"], 2));
    }

    [Fact]
    public async Task What_an_export_failed_of_is_bounded_in_the_catalog_and_in_the_event()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false);
        var plan = await lab.LeaseAsync();

        Assert.True(await lab.Get<ExportOutcomes>()
            .FailAsync(plan, new("schema_changed", new string('c', 288_000) + '\0', Transient: false), default));

        Assert.Equal(BoundedText.Detail, (await lab.QueryAsync<int>("SELECT length(failure_detail) FROM exports"))[0]);
        Assert.True((await lab.QueryAsync<int>("SELECT octet_length(data::text) FROM outbox"))[0] <= EventSize.MostKept);
    }

    [Fact]
    public async Task Where_a_link_would_not_fit_the_claim_url_serves()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false);
        var batch = await lab.ReadyAsync();
        await lab.SqlAsync("UPDATE outbox SET position = 1, published_at = now(); UPDATE event_feed SET head = 1");
        await lab.SqlAsync("UPDATE exports SET manifest_expires_at = now() + interval '1 hour'");
        foreach (var (token, isLinked) in new[] { (3000, true), (4000, false), (40_000, false) })
        {
            lab.Staging.Signed = link => link with { Link = new($"{link.Link.Reveal()}&token={new string('t', token)}") };
            var page = await lab.Get<EventFeed>().ReadAsync(RevocationLab.Caller, new(0, null), 10, default);

            var ready = page!.Events.Single().Event;
            Assert.True(EventSize.Of(ready) <= EventSize.Most);
            var data = ready.Data.Deserialize<BulkReadyData>(ClaimCheckJson.Options)!;
            Assert.Equal(
                (isLinked, isLinked, isLinked),
                (ready.DataRef is not null, data.Location is not null, data.LocationExpiresAt is not null));
            Assert.EndsWith($"/v1/batches/{batch}/manifest", data.ClaimUrl, StringComparison.Ordinal);
        }
    }

    private static JsonElement Fit(object data)
    {
        var cut = EventSize.Fit(
            JsonSerializer.SerializeToElement(data, data.GetType(), ClaimCheckJson.Options), EventSize.MostKept);
        var whole = new BulkEvent
        {
            Id = Contracts.EventId.New(),
            Type = "claimcheck.bulk.overdue.v1",
            Source = "/v1/exports/exp_00000000000070008000000000000001",
            Subject = Subject,
            Time = DateTimeOffset.MaxValue,
            Data = cut,
        };
        Assert.True(EventSize.Of(whole) <= EventSize.Most, $"It has {EventSize.Of(whole)} bytes.");
        Assert.Equal(whole, EventSize.Fit(whole));
        return cut;
    }

    private static JsonNode Any(Random random, int depth) => random.Next(depth == 0 ? 1 : 5) switch
    {
        0 when depth < 3 => new JsonObject(Enumerable.Range(0, random.Next(12))
            .Select(i => KeyValuePair.Create<string, JsonNode?>($"m{i}", Any(random, depth + 1)))),
        1 when depth < 3 => new JsonArray([.. Enumerable.Range(0, random.Next(300)).Select(_ => Any(random, depth + 2))]),
        2 => JsonValue.Create(random.Next()),
        _ => JsonValue.Create(Repeat("é\"x", random.Next(random.Next(3) == 0 ? 5000 : 20))),
    };

    private static string Repeat(string text, int times) => new StringBuilder().Insert(0, text, times).ToString();
}
