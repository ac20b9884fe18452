using ClaimCheck.Service.Startup;

namespace ClaimCheck.Service.Tests.Datasets;

public sealed class Loading_datasets : IAsyncLifetime, IAsyncDisposable
{
    private const string Least = """{ "source": "shop", "key": "id" }""";
    private readonly DatasetScene scene = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await scene.DisposeAsync();

    ValueTask IAsyncDisposable.DisposeAsync() => scene.DisposeAsync();

    [Fact]
    public void Source_and_key_are_enough()
    {
        scene.Define("orders", "\uFEFF" + Least, "select id from orders;");

        var dataset = scene.Definition();

        Assert.Equal(
            ("orders", "orders", "shop", "id", 1),
            (dataset.Name, dataset.Title, dataset.Source, dataset.Key, dataset.SchemaVersion));
        Assert.Equal((TimeSpan.FromHours(1), TimeSpan.FromDays(7)), (dataset.LinkLifetime, dataset.Retention));
        Assert.Empty(dataset.Parameters);
        Assert.Null(dataset.Delivery);
    }

    [Fact]
    public async Task Every_field_is_read()
    {
        scene.Define(
            "orders-2_b",
            """
            { "title": "Orders", "source": "shop", "key": "id", "schemaVersion": 3, "keyUnique": "trusted",
              "parameters": { "z": { "type": "timestamp with time zone" }, "a": { "type": "int[]", "required": false } },
              "linkLifetime": "PT90M", "retention": "P30D", "maxRecords": 5000000000, "maxBytes": 1,
              "delivery": { "consumers": ["billing", "crm"], "within": "PT4H", "maxTerminalRatio": 0.001 } }
            """,
            "select id from orders where at > :z and x = any (:a)");
        scene.Define("README", null, null);
        await File.WriteAllTextAsync(Path.Combine(scene.Folder, "README.md"), "not a dataset");

        var dataset = scene.Definition();

        Assert.True(dataset.TrustsKey);
        Assert.Equal(("orders-2_b", "Orders", 3), (dataset.Name, dataset.Title, dataset.SchemaVersion));
        Assert.Equal([new("z", "timestamptz", true), new("a", "integer[]", false)], dataset.Parameters);
        Assert.Equal((TimeSpan.FromMinutes(90), TimeSpan.FromDays(30)), (dataset.LinkLifetime, dataset.Retention));
        Assert.Equal((5_000_000_000, 1), (dataset.MaxRecords, dataset.MaxBytes));
        Assert.Equal(["billing", "crm"], dataset.Delivery!.Consumers);
        Assert.Equal(("PT4H", 0.001), (dataset.Delivery.Within, dataset.Delivery.MaxTerminalRatio));
    }

    [Theory]
    [InlineData("""{ "key": "id" }""", "source is missing")]
    [InlineData("""{ "source": "shop" }""", "key is missing")]
    [InlineData("""{ "source": "", "key": "id" }""", "source must be text that is not empty")]
    [InlineData("""{ "source": 1, "key": "id" }""", "source must be text that is not empty")]
    [InlineData("""{ "source": "a:b", "key": "id" }""",
        "source must be the name of a connection string, of letters, digits, '-' and '_'")]
    [InlineData("""{ "source": "shop", "key": null }""", "key must be text that is not empty")]
    [InlineData("""{ "source": "shop", "key": "\ud800" }""", "")]
    [InlineData("""{ "source": "shop", "key": "id", "Title": "x" }""", "unknown field Title; the nearest is title")]
    [InlineData("""{ "source": "shop", "key": "id", "keyUnique": true }""", "keyUnique must be \"trusted\"")]
    [InlineData("""{ "source": "shop", "key": "id", "keyUnique": "yes" }""", "keyUnique must be \"trusted\"")]
    [InlineData("""{ "source": "shop", "key": "id", "keyUnique": null }""", "keyUnique must be \"trusted\"")]
    [InlineData("""{ "source": "shop", "key": "id", "schemaVersion": 0 }""", "schemaVersion must be an integer from 1 on")]
    [InlineData("""{ "source": "shop", "key": "id", "schemaVersion": 1.5 }""", "schemaVersion must be an integer from 1 on")]
    [InlineData("""{ "source": "shop", "key": "id", "parameters": [] }""", "parameters must be an object")]
    [InlineData("""{ "source": "shop", "key": "id", "parameters": { "a": "text" } }""", "parameters.a must be an object")]
    [InlineData("""{ "source": "shop", "key": "id", "parameters": { "a": {} } }""", "parameters.a.type is missing")]
    [InlineData("""{ "source": "shop", "key": "id", "parameters": { "a": { "type": "money" } } }""",
        "parameters.a.type is \"money\", which is not one of text, varchar")]
    [InlineData("""{ "source": "shop", "key": "id", "parameters": { "a": { "type": "text", "required": "no" } } }""",
        "parameters.a.required must be true or false")]
    [InlineData("""{ "source": "shop", "key": "id", "parameters": { "a": { "type": "text", "optional": true } } }""",
        "unknown field parameters.a.optional")]
    [InlineData(
        """{ "source": "shop", "key": "id", "parameters": { "1a": { "type": "text" } } }""", "parameters has the name \"1a\"")]
    [InlineData("""{ "source": "shop", "key": "id", "parameters": { "a": { "type": "text" } } }""",
        "parameters declares a, which the query does not use")]
    [InlineData("""{ "source": "shop", "key": "id", "linkLifetime": "PT0S" }""",
        "linkLifetime must be an ISO 8601 duration from PT1S to P7D")]
    [InlineData("""{ "source": "shop", "key": "id", "linkLifetime": "P8D" }""",
        "linkLifetime must be an ISO 8601 duration from PT1S to P7D")]
    [InlineData("""{ "source": "shop", "key": "id", "retention": "7 days" }""",
        "retention must be an ISO 8601 duration from PT1S to P3650D")]
    [InlineData(
        """{ "source": "shop", "key": "id", "retention": 7 }""", "retention must be an ISO 8601 duration from PT1S to P3650D")]
    [InlineData("""{ "source": "shop", "key": "id", "delivery": {} }""", "delivery.consumers is missing")]
    [InlineData("""{ "source": "shop", "key": "id", "delivery": { "consumers": ["a", "a"] } }""",
        "delivery.consumers must be a list of different consumers' names")]
    [InlineData("""{ "source": "shop", "key": "id", "delivery": { "consumers": ["a"], "maxTerminalRatio": 2 } }""",
        "delivery.maxTerminalRatio must be a number from 0 to 1")]
    [InlineData(
        """{ "source": "shop", "key": "id", "delivery": { "consumers": ["a"], "by": 1 } }""", "unknown field delivery.by")]
    [InlineData("""{ "source": "shop", "key": "id", "maxRecords": 0 }""", "maxRecords must be a whole number from 1 to ")]
    [InlineData("""{ "source": "shop", "key": "id", "maxRecords": null }""", "maxRecords must be a whole number from 1 to ")]
    [InlineData("""{ "source": "shop", "key": "id", "maxBytes": 1.5 }""", "maxBytes must be a whole number from 1 to ")]
    [InlineData("""{ "source": "shop", "key": "id", "maxBytes": "1 GB" }""", "maxBytes must be a whole number from 1 to ")]
    [InlineData("""{ "source": "shop", "key": "id", "maxbytes": 1 }""", "unknown field maxbytes; the nearest is maxBytes")]
    [InlineData("""{ "source": "shop", "source": "shop", "key": "id" }""", "it is not JSON: ")]
    [InlineData("""{ "source": "shop", "key": "id", }""", "it is not JSON: ")]
    [InlineData("[]", "it must be an object")]
    [InlineData("", "it is not JSON: ")]
    public void A_definition_that_is_not_understood_makes_it_unavailable(string json, string reason)
    {
        scene.Define("orders", json, "select 1 as id");

        var fault = scene.Fault();

        Assert.Equal("datasets/orders.json", fault.File);
        Assert.StartsWith(reason, fault.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Least, "select 1; select 2", "datasets/orders.sql: it has more than one statement.")]
    [InlineData(Least, "", "datasets/orders.sql: it is empty.")]
    [InlineData(Least, "update orders set id = 1", "datasets/orders.sql: it does not begin with SELECT or WITH.")]
    [InlineData(Least, "select :since", "datasets/orders.json: the query uses :since, which parameters does not declare.")]
    [InlineData(Least, null, "datasets/orders.json: orders.sql is missing: put the dataset's query there.")]
    [InlineData(null, "select 1", "datasets/orders.sql: orders.json is missing: put the dataset's definition there.")]
    public void A_query_that_does_not_fit_makes_it_unavailable(string? json, string? sql, string message)
    {
        scene.Define("orders", json, sql);

        var fault = scene.Fault();

        Assert.Equal(message, fault.ToString());
    }

    [Theory]
    [InlineData("Orders")]
    [InlineData("-orders")]
    [InlineData("or ders")]
    [InlineData("a.b")]
    public void A_name_is_lower_case(string name)
    {
        scene.Define(name, Least, "select 1 as id");

        var fault = scene.Fault();

        Assert.StartsWith($"datasets/{name}.json: a dataset's name is", fault.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_not_UTF8_makes_it_unavailable()
    {
        scene.Define("orders", Least, null);
        await File.WriteAllBytesAsync(Path.Combine(scene.Folder, "orders.sql"), [.. "select '"u8, 0xE9, .. "' as id"u8]);

        var fault = scene.Fault();

        Assert.Equal("datasets/orders.sql: it is not UTF-8.", fault.ToString());
        await File.WriteAllBytesAsync(
            Path.Combine(scene.Folder, "orders.json"), [.. "{ \"source\": \"shop\", \"key\": \""u8, 0xE9, .. "\" }"u8]);
        Assert.Equal("datasets/orders.json: it is not UTF-8.", scene.Fault().ToString());
    }

    [Theory]
    [InlineData(
        "{\n  \"source\": \"shop\",\n  \"key\": \"id\",\n  \"parameters\": {\n    \"a\": {\n      \"type\": \"money\" } } }", 6)]
    [InlineData("{\n  \"source\": \"shop\",\n  \"parameters\": {\n    \"a\": {\n } }, \"key\": \"id\" }", 4)]
    [InlineData("{\n  \"source\": \"shop\",\n  \"key\": \"id\",\n  \"Title\": 1 }", 4)]
    [InlineData("{\n  \"source\": \"shop\",\n  \"key\": \"id\",\n  \"maxRecords\": 1,\n  \"maxBytes\": 0 }", 5)]
    [InlineData("{\n  \"source\": \"shop\"\n  \"key\": \"id\" }", 3)]
    [InlineData("\n\n{ \"source\": \"shop\" }", 3)]
    public void What_is_wrong_is_told_with_its_line(string json, int line)
    {
        scene.Define("orders", json, "select 1 as id");

        Assert.Equal(line, scene.Fault().Line);
    }

    [Fact]
    public async Task Whatever_lies_under_a_definition_s_name_is_told_and_not_waited_for()
    {
        string At(string name) => Path.Combine(scene.Folder, name);
        scene.Define("folder", Least, null).Define("pipe", null, "select 1").Define("link", Least, null)
            .Define("huge", Least, new string(' ', 1 << 21))
            .Define("device", Least, null).Define("good", Least, "select 1 as id");
        Directory.CreateDirectory(At("folder.sql"));
        using (var made = System.Diagnostics.Process.Start("mkfifo", [At("pipe.json")]))
            await made.WaitForExitAsync();
        File.CreateSymbolicLink(At("link.sql"), At("nothing"));
        File.CreateSymbolicLink(At("device.sql"), "/dev/zero");
        File.CreateSymbolicLink(At(".#good.json"), "editor@host.1234"); // an editor's lock
        File.WriteAllText(At(".good.sql"), "half");

        var catalog = await scene.LoadAsync();

        Assert.Equal(["device", "folder", "good", "huge", "link", "pipe"], catalog.Current.All.Select(dataset => dataset.Name));
        foreach (var (name, fault) in ((string, string)[])[
            ("device", "datasets/device.sql: it is larger than 1048576 bytes."),
            ("folder", "datasets/folder.sql: it is a folder, not a file."),
            ("good", "datasets/good.json:1: source is shop, but ConnectionStrings:shop is not set: set it (in the environment: "
                + "ConnectionStrings__shop)."),
            ("huge", "datasets/huge.sql: it is larger than 1048576 bytes."),
            ("link", "datasets/link.sql: it is a link to nothing."),
            ("pipe", "datasets/pipe.json: it is a pipe, a socket or a device, not a file.")])
        {
            Assert.Equal(
                new("definition_invalid", fault), await catalog.Find(name)!.AskAsync(anew: false, CancellationToken.None));
            Assert.Single(scene.Logged, line => line == $"Error: Dataset {name} is unavailable: {fault}");
        }
    }

    [Fact]
    public async Task A_folder_that_is_not_there_stops_the_start()
    {
        scene.With("ClaimCheck:Datasets", "/nowhere/datasets");

        var refusal = await Assert.ThrowsAsync<StartupException>(scene.LoadAsync);

        Assert.StartsWith("The folder /nowhere/datasets", refusal.Message, StringComparison.Ordinal);
    }
}
