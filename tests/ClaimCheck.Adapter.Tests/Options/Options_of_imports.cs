using System.Text;
using System.Text.Json.Nodes;
using ClaimCheck.Adapter.Options;
using ClaimCheck.Adapter.Startup;
using Microsoft.Extensions.Configuration;

namespace ClaimCheck.Adapter.Tests.Options;

/// <summary>What does not fit is said at once, as for any route.</summary>
[Trait("needs", "nothing")]
public sealed class Options_of_imports
{
    [Theory]
    [InlineData("Import", "null", "Import is not set")]
    [InlineData("Dataset", "\"orders\"", "Dataset is set")]
    [InlineData("Criteria", """{ "status": "open" }""", "Criteria is set")]
    [InlineData("Cron", "\"0 0 2 * * ?\"", "Cron is set")]
    [InlineData("Callers", "[\"nobody\"]", "Callers names 'nobody'")]
    [InlineData("Import:Sorce", "\"/x\"", "Sorce")]
    [InlineData("Import:Mapping:Feelds", "{ \"x\": 1 }", "Feelds")]
    [InlineData("Import:Source", "null", "Import:Source is not set")]
    [InlineData("Import:Source", "\"relative\"", "Import:Source is 'relative'")]
    [InlineData("Import:Source", "\"s3://\"", "Import:Source is 's3://'")]
    [InlineData("Import:State", "\"/x\"", "Import:State is set")]
    [InlineData("Import:Name", "\"other\"", "Import:Name is 'other'")]
    [InlineData("Import:BatchSize", "1001", "Import: batchSize is 1001")]
    [InlineData("Import:Arrival", """{ "Complete": "soon" }""", "arrival.complete is 'soon'")]
    [InlineData(
        "Import:Mapping", """{ "Fields": { "a": { "From": "b", "Type": "money" } } }""", "mapping.fields.a.type is 'money'")]
    [InlineData("Import:Endpoint", """{ "Url": "ftp://x" }""", "endpoint.url must be")]
    [InlineData("Import:Endpoint", """{ "Url": "http://x", "KeyFile": "/nowhere/key" }""", "endpoint.keyFile /nowhere/key")]
    [InlineData("Import:Endpoint", """{ "Contract": "bulk-jobs" }""", "endpoint.operation is not set")]
    public void What_does_not_fit_is_said(string path, string value, string line)
    {
        var settings = Fitting();
        var names = path.Split(':');
        var parent = names[..^1].Aggregate(settings["Routes"]!["r"]!.AsObject(), (node, name) => node[name]!.AsObject());
        if (value == "null")
            parent.Remove(names[^1]);
        else
            parent[names[^1]] = JsonNode.Parse(value);

        var refusal = Assert.Throws<CanNotStartException>(() => Read(settings));
        Assert.Contains(refusal.Lines, each => each.Contains(line, StringComparison.Ordinal));
    }

    [Fact]
    public void All_errors_are_said_at_once_and_two_routes_share_no_source()
    {
        var settings = Fitting();
        settings["Routes"]!["s"] = settings["Routes"]!["r"]!.DeepClone();
        settings["Routes"]!["s"]!["Import"]!["BatchSize"] = 0;
        settings["Routes"]!["s"]!["Import"]!["Parallelism"] = 0;

        Assert.Equal(3, Assert.Throws<CanNotStartException>(() => Read(settings)).Lines.Count);
    }

    [Fact]
    public void An_import_needs_no_service_and_an_export_does()
    {
        var settings = Fitting();
        Assert.Equal("r", Assert.Single(Read(settings).Imports).Options.Name);
        settings["Routes"]!["e"] = new JsonObject { ["Pattern"] = "ar-4", ["Dataset"] = "orders" };
        Assert.Contains(Assert.Throws<CanNotStartException>(() => Read(settings)).Lines, each =>
            each.StartsWith("Adapter:Service is", StringComparison.Ordinal));
    }

    [Fact]
    public void Bulk_jobs_without_an_address_go_to_the_adapter_s_service_with_its_key()
    {
        var settings = Fitting();
        (settings["Service"], settings["ApiKey"]) = ("https://service.example/", "the-adapter-s-own-key-of-the-service");
        settings["Routes"]!["r"]!["Import"]!["Endpoint"] =
            new JsonObject { ["Contract"] = "bulk-jobs", ["Operation"] = "update" };
        var endpoint = Assert.Single(Read(settings).Imports).Options.Endpoint;
        Assert.Equal(("https://service.example/", "the-adapter-s-own-key-of-the-service"), (endpoint.Url, endpoint.Key));
    }

    private static CheckedAdapterOptions Read(JsonObject settings) => OptionsReader.Read(
        new ConfigurationBuilder().AddJsonStream(new MemoryStream(
            Encoding.UTF8.GetBytes(new JsonObject { ["Adapter"] = settings.DeepClone() }.ToJsonString()))).Build());

    private static JsonObject Fitting() => new()
    {
        ["Routes"] = new JsonObject
        {
            ["r"] = new JsonObject
            {
                ["Pattern"] = "import",
                ["Import"] = new JsonObject
                {
                    ["Source"] = "/feeds/orders",
                    ["Mapping"] = new JsonObject { ["Key"] = "id" },
                    ["Endpoint"] = new JsonObject { ["Url"] = "http://127.0.0.1:9/records" },
                },
            },
        },
    };
}
