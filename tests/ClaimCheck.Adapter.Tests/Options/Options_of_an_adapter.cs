using System.Text.Json;
using System.Text.Json.Nodes;
using ClaimCheck.Adapter.Options;
using ClaimCheck.Adapter.Startup;
using Microsoft.Extensions.Configuration;

namespace ClaimCheck.Adapter.Tests.Options;

/// <summary>What does not fit is said at once, line by line: the value, the rule, what would come of it.</summary>
public sealed class Options_of_an_adapter
{
    [Theory]
    [InlineData("Service", "\"nowhere\"", "Adapter:Service is 'nowhere'")]
    [InlineData("Consumer", "\"a b\"", "Adapter:Consumer is 'a b'")]
    [InlineData("Consmer", "\"x\"", "Adapter:Consmer is set, but that setting does not exist")]
    [InlineData("Parallelism", "0", "Adapter:Parallelism is 0")]
    [InlineData("Parallelism", "\"many\"", "Adapter:Parallelism is 'many', but must be a whole number")]
    [InlineData("Consmer", "\"x\"", "The nearest existing one: Adapter:Consumer.")]
    [InlineData("Routes:r:Path", "\"/x\"", "Adapter:Routes:r:Path is set, but that setting does not exist")]
    [InlineData("Routes:r:Path", "\"/x\"", "The nearest existing one: Adapter:Routes:r:WaitAt:Path.")]
    [InlineData("Routes:r:Destination:Lokation", """{ "Path": "/x" }""",
        "The nearest existing one: Adapter:Routes:r:Destination:Location:Path.")]
    [InlineData("Polling", """{ "Interval": "often" }""", "Adapter:Polling:Interval is 'often', but must be a time")]
    [InlineData("BehindTls", "\"perhaps\"", "Adapter:BehindTls is 'perhaps', but must be true or false")]
    [InlineData("AllowedLinkHosts", "\"x.example\"", "Adapter:AllowedLinkHosts has a value, but is a section or list")]
    [InlineData("ApiKeys", """{ "crm": "short" }""", "Adapter:ApiKeys:crm has 5 characters")]
    [InlineData("ApiKeyFile", "\"/nowhere/key\"", "Adapter:ApiKeyFile is /nowhere/key")]
    [InlineData("Polling", """{ "Interval": "00:10:00" }""", "Adapter:Polling:Interval is 00:10:00")]
    [InlineData("LinkLifetime", "\"8.00:00:00\"", "Adapter:LinkLifetime is 8.00:00:00")]
    [InlineData("Routes", "{}", "Adapter:Routes is empty")]
    [InlineData("Routes:r:Pattern", "\"ar-9\"", "Pattern is 'ar-9'")]
    [InlineData("Routes:r:Cron", "\"every day\"", "Cron is 'every day'")]
    [InlineData("Routes:r:Cron", "\"0 0 3 1 1 ? 2001\"", "is in the past")]
    [InlineData("Routes:r:Cron", "null", "Cron is not set")]
    [InlineData("Routes:r:TimeZone", "\"Mars/Olympus\"", "TimeZone is 'Mars/Olympus'")]
    [InlineData("Routes:r:Dataset", "\"\"", "Dataset is not set")]
    [InlineData("Routes:r:Format", "\"xml\"", "Format is 'xml'")]
    [InlineData("Routes:r:Events", "\"feed\"", "Events is set")]
    [InlineData("Routes:r:Wait", "\"folder\"", "WaitAt is not set")]
    [InlineData("Routes:r:Callers", "[\"nobody\"]", "Callers names 'nobody'")]
    [InlineData("Routes:r:Notify", """{ "Url": "ftp://x", "Secret": "whsec_x" }""", "Notify:Secret must be")]
    [InlineData("Routes:r:Destination", "null", "Destination is not set")]
    [InlineData("Routes:r:Destination:Kind", "\"cloud\"", "Kind is 'cloud'")]
    [InlineData("Routes:r:Destination:Folder", "\"{dataset}\"", "must contain {exportId} or {batchId}")]
    [InlineData("Routes:r:Destination:Location:Path", "\"relative\"", "Path is 'relative'")]
    [InlineData("Routes:r:Destination:Location:Kind", "\"ftp\"", "Kind is 'ftp'")]
    public void What_does_not_fit_is_said(string path, string value, string line)
    {
        var settings = Fitting();
        var names = path.Split(':');
        var parent = names[..^1].Aggregate(settings, (node, name) => node[name]!.AsObject());
        if (value == "null")
            parent.Remove(names[^1]);
        else
            parent[names[^1]] = JsonNode.Parse(value);

        var refusal = Assert.Throws<CanNotStartException>(() => Read(settings));
        Assert.Contains(refusal.Lines, each => each.Contains(line, StringComparison.Ordinal));
    }

    [Fact]
    public void All_errors_are_said_at_once()
    {
        var settings = Fitting();
        settings["Consumer"] = "";
        settings["Parallelism"] = 99;
        settings["Routes"]!["r"]!["Dataset"] = "";

        Assert.Equal(3, Assert.Throws<CanNotStartException>(() => Read(settings)).Lines.Count);

        settings["Nothing"] = 1;
        settings["Nowhere"] = new JsonObject { ["x"] = 1, ["y"] = 2 };
        settings["Retry"] = new JsonObject { ["Delay"] = "soon" };
        Assert.Equal(4, Assert.Throws<CanNotStartException>(() => Read(settings)).Lines.Count);
    }

    [Fact]
    public void Criteria_keep_their_types()
    {
        var settings = Fitting();
        settings["Routes"]!["r"]!["Criteria"] = new JsonObject
        {
            ["least"] = 5,
            ["open"] = true,
            ["since"] = "2026-01-01T00:00:00Z",
            ["code"] = "\"0815\"",
            ["ids"] = new JsonArray("a", 2),
        };

        var criteria = JsonSerializer.SerializeToNode(Read(settings).Routes.Single().Request().Criteria)!;

        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""{ "code": "0815", "ids": ["a", 2], "least": 5, "open": true, "since": "2026-01-01T00:00:00Z" }"""),
            criteria), criteria.ToJsonString());
    }

    [Fact]
    public async Task A_start_that_can_t_be_ends_with_a_line_and_a_code()
    {
        await using var scene = await AdapterScene.CreateAsync(items: 10);
        scene.AddRoute("crm", "ar-4");

        var (open, openly) = await scene.RunAsync("--urls", "http://0.0.0.0:0");
        Assert.Equal(1, open);
        Assert.Contains(
            "claimcheck-adapter: The adapter would listen on http://0.0.0.0:0 without a key", openly, StringComparison.Ordinal);

        var (help, text) = await scene.RunAsync("--help");
        Assert.Equal(0, help);
        Assert.Contains("--check", text, StringComparison.Ordinal);

        var (wrong, lines) = await scene.RunAsync("--Adapter:Parallelism=0", "--Adapter:Consumer=");
        Assert.Equal(1, wrong);
        Assert.Equal(2, lines.Split('\n').Count(line => line.StartsWith("claimcheck-adapter: ", StringComparison.Ordinal)));
        Assert.DoesNotContain("   at ", lines, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_check_reaches_for_everything_and_says_what_it_found()
    {
        await using var scene = await AdapterScene.CreateAsync(items: 10);
        scene.AddRoute("crm", "ar-4");

        var (well, said) = await scene.RunAsync("--check");
        Assert.True(well == 0, said);
        Assert.Contains("ok      Dataset items", said, StringComparison.Ordinal);
        Assert.Contains("ok      Request of crm for items", said, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(scene.Shared));

        scene.AddRoute("other", "ar-4", dataset: "nothing");
        scene.AddRoute("wrong", "ar-4")["Criteria"] = new JsonObject { ["least"] = "\"five\"", ["nonsense"] = 1 };
        Directory.Delete(scene.Shared, recursive: true);
        var (ill, told) = await scene.RunAsync("--check");
        Assert.Equal(2, ill);
        Assert.Contains("FAILED  Dataset nothing", told, StringComparison.Ordinal);
        Assert.Contains("FAILED  Destination of crm", told, StringComparison.Ordinal);
        Assert.Contains("FAILED  Request of wrong for items: Criteria:least (bigint) must be a whole number of 64 bits, but is "
            + "\"five\"; Criteria:nonsense is set, but the dataset has ", told, StringComparison.Ordinal);
    }

    private static CheckedAdapterOptions Read(JsonObject settings)
    {
        using var stream = new MemoryStream(
            JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["Adapter"] = settings.DeepClone() }));
        return OptionsReader.Read(new ConfigurationBuilder().AddJsonStream(stream).Build());
    }

    private static JsonObject Fitting() => JsonNode.Parse("""
        {
          "Service": "http://127.0.0.1:8080", "Consumer": "billing",
          "Routes": {
            "r": {
              "Pattern": "ar-1", "Dataset": "orders", "Cron": "0 0 2 * * ?", "TimeZone": "Europe/Berlin",
              "Destination": { "Location": { "Kind": "folder", "Path": "/srv/shared" } }
            }
          }
        }
        """)!.AsObject();
}
