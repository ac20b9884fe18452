using System.Text;
using System.Text.Json.Nodes;
using ClaimCheck.Consumer.Listening;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Tests.Listening;

[Trait("needs", "nothing")]
public sealed class Hostile_events
{
    private const string Secret = "https://files.example/manifest.json?X-Amz-Signature=secret";

    public static TheoryData<string, Action<JsonObject>> Changes => new()
    {
        { "no version", root => root.Remove("specversion") },
        { "another version", root => root["specversion"] = "2.0" },
        { "no id", root => root.Remove("id") },
        { "an id of a wrong type", root => root["id"] = 7 },
        { "an id of another kind", root => root["id"] = "bat_00000000000000000000000000000000" },
        { "no type", root => root.Remove("type") },
        { "a type of a wrong type", root => root["type"] = new JsonArray("claimcheck.bulk.ready.v1") },
        { "a foreign type", root => root["type"] = "com.example.made" },
        { "no subject", root => root.Remove("subject") },
        { "another subject", root => root["subject"] = BatchId.New().ToString() },
        { "a subject with a path", root => root["subject"] = "bat_../../v1/exports" },
        { "no time", root => root.Remove("time") },
        { "a time that is none", root => root["time"] = "yesterday" },
        { "no data", root => root.Remove("data") },
        { "null data", root => root["data"] = null },
        { "data of a wrong type", root => root["data"] = "text" },
        { "no batch", root => root["data"]!.AsObject().Remove("batchId") },
        { "a batch with a path", root => root["data"]!["batchId"] = "bat_../../v1/exports" },
        { "another batch", root => root["data"]!["batchId"] = BatchId.New().ToString() },
        { "null for a dataset", root => root["data"]!["dataset"] = null },
        { "text for a count", root => root["data"]!["records"] = "40" },
        { "a count below zero", root => root["data"]!["records"] = -1 },
        { "a count out of range", root => root["data"]!["records"] = 1e300 },
        { "a number for a link", root => root["data"]!["location"] = 5 },
        { "a script for a link", root => root["data"]!["location"] = "javascript:fetch('" + Secret + "')" },
        { "a file for a link", root => root["data"]!["location"] = "file:///etc/passwd?" + Secret },
        { "a relative link", root => root["data"]!["location"] = "/v1/batches?" + Secret },
        { "a link with a user", root => root["data"]!["location"] = "https://user:word@files.example/?" + Secret },
        { "deep data", root => root["data"]!["more"] = Deep(100) },
        { "much data", root => root["data"]!["more"] = new string('x', 70_000) },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void A_hostile_event_is_one_clear_failure_that_quotes_nothing(string what, Action<JsonObject> change)
    {
        Assert.NotEmpty(what);
        var json = JsonNode.Parse(TestEvents.Ready(location: Secret).Json())!.AsObject();
        Assert.NotNull(EventReader.Read(json.ToJsonString()));
        change(json);

        var failure = Assert.Throws<MalformedEventException>(() => EventReader.Read(json.ToJsonString()));

        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("word", failure.ToString(), StringComparison.Ordinal);
        Assert.False(failure.IsTransient);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("<html>")]
    [InlineData("\ud800")]
    [InlineData("""{ "specversion": "1.0", "id": "\ud800", "type": "claimcheck.x", "source": "/" }""")]
    public void What_is_no_event_is_one_clear_failure(string body) =>
        Assert.Throws<MalformedEventException>(() => EventReader.Read(body));

    [Fact]
    public void An_event_that_is_cut_anywhere_or_has_any_byte_changed_is_read_or_refused()
    {
        var whole = Encoding.UTF8.GetBytes(TestEvents.Ready(location: Secret).Json());
        for (var i = 0; i < whole.Length; i++)
        {
            Try(Encoding.UTF8.GetString(whole, 0, i));
            var changed = (byte[])whole.Clone();
            changed[i] ^= 0x11;
            Try(Encoding.UTF8.GetString(changed));
        }

        static void Try(string body)
        {
            try
            {
                EventReader.Read(body);
            }
            catch (MalformedEventException)
            {
                // As it should.
            }
        }
    }

    [Fact]
    public void Members_that_this_version_does_not_know_are_let_pass()
    {
        var json = JsonNode.Parse(TestEvents.Ready().Json())!.AsObject();
        json["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        json["data"]!["newer"] = true;

        Assert.IsType<BulkReadyData>(EventReader.Read(json.ToJsonString())!.Data);
    }

    private static JsonNode Deep(int levels) => levels == 0 ? JsonValue.Create(1) : new JsonArray(Deep(levels - 1));
}
