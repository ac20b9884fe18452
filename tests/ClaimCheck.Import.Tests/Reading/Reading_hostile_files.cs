using System.Text;

namespace ClaimCheck.Import.Tests.Reading;

/// <summary>What is wrong with a record concerns that record; what is wrong with a file stops it before
/// anything is sent.</summary>
public sealed class Reading_hostile_files : IAsyncLifetime
{
    private static readonly System.Text.Json.JsonSerializerOptions Plain =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private RecordEndpoint endpoint = null!;
    private ImportScene scene = null!;

    public async Task InitializeAsync()
    {
        endpoint = await RecordEndpoint.StartAsync();
        scene = ImportScene.For(endpoint.Address);
    }

    public async Task DisposeAsync()
    {
        await endpoint.DisposeAsync();
        await scene.DisposeAsync();
    }

    public static TheoryData<string, byte[], string> BrokenFiles
    {
        get
        {
            var random = new Random(1);
            var noise = string.Concat(
                Enumerable.Range(0, 3000).Select(i => $"o{i},{random.Next()}.{random.Next()},{random.NextInt64()}\n"));
            var gzip = ImportScene.Gzip("order_id,total,note\n" + noise);
            var altered = gzip.ToArray();
            altered[gzip.Length / 2] ^= 0x55;
            return new()
            {
                { "orders.csv", [], "no_header" },
                { "orders.csv", "\n\n"u8.ToArray(), "no_header" },
                { "orders.csv.gz", "order_id,total\no1,1\n"u8.ToArray(), "unreadable_gzip" },
                { "orders.csv.gz", gzip[..^1], "unreadable_gzip" },
                { "orders.csv.gz", gzip[..^8], "unreadable_gzip" },
                { "orders.csv.gz", gzip[..^9], "unreadable_gzip" },
                { "orders.csv.gz", gzip[..(gzip.Length / 2)], "unreadable_gzip" },
                { "orders.csv.gz", gzip[..12], "unreadable_gzip" },
                { "orders.csv.gz", altered, "unreadable_gzip" },
                { "orders.csv.gz", [.. gzip, 1, 2, 3], "unreadable_gzip" },
                { "orders.csv.gz", ImportScene.Gzip("order_id,total\n"
                    + string.Concat(Enumerable.Repeat("o1,1" + new string('0', 100_000) + "\n", 900))), "unpacks_too_far" },
                { "orders.csv", "order_id,total\no1,\"1\no2,2\n"u8.ToArray(), "unterminated_quote" },
                { "orders.csv", "order_id,order_id,total\n"u8.ToArray(), "bad_header" },
                { "orders.csv", "order_id,,total\n"u8.ToArray(), "bad_header" },
                { "orders.csv", "order\"_id,total\n"u8.ToArray(), "bad_header" },
                { "orders.csv", "id,total\n1,1\n"u8.ToArray(), "missing_column" },
                { "orders.csv", Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("order_id,total\n")).ToArray(),
                    "wrong_encoding" },
                { "orders.csv", "order_id,total\no1,1\n"u8.ToArray().Concat(Encoding.Latin1.GetBytes("Müller,2\n")).ToArray(),
                    "wrong_encoding" },
                { "orders.ndjson", Encoding.Latin1.GetBytes("{\"order_id\":\"Müller\",\"total\":1}\n"), "wrong_encoding" },
                { "orders.xml", "<orders/>"u8.ToArray(), "unknown_format" },
            };
        }
    }

    [Theory]
    [MemberData(nameof(BrokenFiles))]
    public async Task A_broken_file_fails_with_its_code_and_nothing_of_it_is_sent(string name, byte[] content, string code)
    {
        scene.Options.BatchSize = 1;
        var run = await scene.ImportAsync(scene.Write(name, content));

        Assert.Equal(("failed", code), (run.State, run.Failure?.Code));
        Assert.Empty(endpoint.All);
        // Mended, it may come again.
        Assert.Equal("failed", (await scene.ImportAsync(Path.Combine(scene.Folder, name))).State);
    }

    [Fact]
    public async Task Bad_records_are_told_with_line_and_reason_and_their_neighbours_go_on()
    {
        scene.Options.Reading.RecordBytes = 2000;
        scene.Options.Mapping.Fields["day"] = new() { From = "day", Type = "date" };
        var csv = string.Join("\r\n", [
            "order_id,total,day",
            "o1,1.50,2026-01-31",          // 2
            "o2,1.50",                     // 3
            "o3,one,2026-01-31",           // 4
            "o4,1,2026-02-30",             // 5
            "\"o5\"x,1,2026-01-31",        // 6
            "o\"6,1,2026-01-31",           // 7
            ",1,2026-01-31",               // 8
            "\"o,\"\"8\"\"\r\n8\",1,",     // 9 and 10
            $"o9,{new string('9', 3000)},", // 11
            "",                            // 12
            "o10,-0012.30e5,2026-01-31",   // 13
            "",
        ]);
        var run = await scene.ImportAsync(scene.Write("orders.csv", csv));

        Assert.Equal(("completed", 3L, 7L), (run.State, run.Counts.Succeeded, run.Counts.Invalid));
        Assert.Equal(
            ["3 wrong_field_count", "4 wrong_type", "5 wrong_type", "6 bad_quoting", "7 bad_quoting", "8 required_field_missing",
                "11 record_too_long"],
            (await scene.FailuresAsync(run.RunId)).Select(line => $"{line["line"]} {line["code"]}"));
        Assert.Equal(
            [
                """{"id":"o1","amount":1.50,"status":"paid","day":"2026-01-31"}""",
                """{"id":"o,\u00228\u0022\r\n8","amount":1,"status":"paid","day":null}""",
                """{"id":"o10","amount":-12.30e5,"status":"paid","day":"2026-01-31"}""",
            ],
            endpoint.Calls.Values.Single().Items.Select(item => item!.ToJsonString()));
    }

    [Fact]
    public async Task Hostile_json_is_a_record_s_own_fault()
    {
        string[] lines =
        [
            """{"order_id":"o1","total":1}""",
            """{"order_id":"o2","total":1""",
            """[1,2]""",
            "null",
            """{"order_id":"o5","order_id":"o6","total":1}""",
            """{"order_id":"\ud800","total":1}""",
            $$"""{"order_id":"o7","total":{{new string('[', 10_000)}}}""",
            """{"order_id":"o8","total":1e999999999999}""",
            """{"order_id":"o9","total":"1.5"} {"order_id":"o9"}""",
            """{"order_id":{"a":1},"total":1}""",
            """{"order_id":"o11","total":null}""",
            """{"total":1}""",
            """{"order_id":"o13","\ud800":1,"total":1}""",
        ];
        var run = await scene.ImportAsync(scene.Write("orders.ndjson", string.Join('\n', lines)));

        Assert.Equal((13, 3, 10), (run.Counts.Records, run.Counts.Succeeded, run.Counts.Invalid));
        Assert.Equal(["o1", "o8", "o11"], endpoint.Calls.Values.Single().Items.Select(item => (string)item!["id"]!));
        var failures = await scene.FailuresAsync(run.RunId);
        Assert.Equal([2, 3, 4, 5, 6, 7, 9, 10, 12, 13], failures.Select(line => (int)line["line"]!));
        Assert.Equal(lines[1], (string?)failures[0]["record"]);
        Assert.Equal("[1,2]", failures[1]["record"]!.ToJsonString());
    }

    [Theory]
    [InlineData("integer", "-42", "-42")]
    [InlineData("integer", "007", "7")]
    [InlineData("integer", "9223372036854775808", null)]
    [InlineData("integer", "1.0", null)]
    [InlineData("integer", "+1", null)]
    [InlineData("integer", " 1", null)]
    [InlineData("numeric", "123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789")]
    [InlineData("numeric", "-000.10", "-0.10")]
    [InlineData("numeric", "1.", null)]
    [InlineData("numeric", ".5", null)]
    [InlineData("numeric", "NaN", "\"NaN\"")]
    [InlineData("numeric", "-Infinity", "\"-Infinity\"")]
    [InlineData("numeric", "1,5", null)]
    [InlineData("numeric", "0x10", null)]
    [InlineData("boolean", "YES", "true")]
    [InlineData("boolean", "f", "false")]
    [InlineData("boolean", "maybe", null)]
    [InlineData("date", "2024-02-29", "\"2024-02-29\"")]
    [InlineData("date", "2026-02-29", null)]
    [InlineData("date", "29.02.2024", null)]
    [InlineData("timestamptz", "2026-01-01T00:00:00+02:00", "\"2025-12-31T22:00:00Z\"")]
    [InlineData("timestamptz", "2026-01-01 00:00:00.123456Z", "\"2026-01-01T00:00:00.123456Z\"")]
    [InlineData("timestamptz", "2026-01-01T00:00:00", null)]
    [InlineData("timestamptz", "2026-01-01", null)]
    [InlineData("timestamptz", "2026-02-01 12:00:00+00", "\"2026-02-01T12:00:00Z\"")]
    [InlineData("timestamptz", "2026-02-01T12:00:00.123456789+01:00", "\"2026-02-01T11:00:00.123456789Z\"")]
    [InlineData("timestamptz", "infinity", "\"infinity\"")]
    [InlineData("timestamptz", "0044-03-15 00:00:00+01 BC", "\"0044-03-14 23:00:00+00 BC\"")]
    [InlineData("timestamptz", "294276-12-31 23:59:59+00", "\"294276-12-31 23:59:59+00\"")]
    [InlineData("date", "0044-03-15 BC", "\"0044-03-15 BC\"")]
    [InlineData("uuid", "0198C0DE-0000-7000-8000-000000000001", "\"0198c0de-0000-7000-8000-000000000001\"")]
    [InlineData("uuid", "0198c0de", null)]
    [InlineData("json", "{\"a\": [1, null]}", "{\"a\":[1,null]}")]
    [InlineData("json", "[\n1]", "[1]")]
    [InlineData("json", "{a}", null)]
    [InlineData("json", "1 2", null)]
    [InlineData("text", "1", "\"1\"")]
    public async Task A_value_is_of_its_type_or_its_record_is_invalid(string type, string value, string? written)
    {
        scene.Options.Mapping.Fields["value"] = new() { From = "value", Type = type };
        var run = await scene.ImportAsync(scene.Write(
            "orders.csv", $"order_id,total,value\no1,1,\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"\n"));

        Assert.Equal(written is null ? 1 : 0, run.Counts.Invalid);
        if (written is not null)
            Assert.Equal(written, endpoint.Calls.Values.Single().Items[0]!["value"]!.ToJsonString(Plain));
    }

    [Fact]
    public async Task Without_a_mapping_records_go_as_they_are()
    {
        scene.Options.Mapping = new() { Key = "id" };
        scene.Options.Reading.Delimiter = ";";
        await scene.ImportAsync(scene.Write("orders.csv", "\uFEFFid;name;empty;none\n1;\"a;b\";\"\";\n"));
        await scene.ImportAsync(scene.Write("orders.jsonl", """{ "id" : 2 , "n":1.50,"o":{"a": null} }"""));

        var sent = endpoint.Calls.Values.Select(call => call.Items.Single()!)
            .ToDictionary(item => item["id"]!.ToString(), item => item.ToJsonString());
        Assert.Equal("""{"id":"1","name":"a;b","empty":"","none":null}""", sent["1"]);
        Assert.Equal("""{"id":2,"n":1.50,"o":{"a":null}}""", sent["2"]);
    }

    [Fact]
    public async Task A_record_s_length_does_not_matter_to_where_buffers_end()
    {
        var random = new Random(7);
        var csv = new StringBuilder("order_id,total,note\n");
        for (var i = 0; i < 400; i++)
        {
            var note = new string('x', random.Next(6000)) + (i % 3 == 0 ? "\r\n\"\"," : "");
            csv.Append(System.Globalization.CultureInfo.InvariantCulture, $"o{i},{i},\"{note}\"\r\n");
        }
        scene.Options.Mapping.Fields["note"] = new() { From = "note" };
        var run = await scene.ImportAsync(scene.Write("orders.csv.gz", ImportScene.Gzip(csv.ToString())));

        Assert.Equal((400, 0), (run.Counts.Succeeded, run.Counts.Invalid));
        Assert.EndsWith("x\r\n\",", (string?)endpoint.Calls.Values.SelectMany(call => call.Items).Single(
            item => (string)item!["id"]! == "o399")!["note"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_many_records_are_refused_before_the_first_is_sent()
    {
        scene.Options.Reading.Records = 10;
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(11)));
        Assert.Equal("too_many_records", run.Failure?.Code);
        Assert.Empty(endpoint.All);
    }

    [Fact]
    public void Settings_are_checked_all_at_once_and_say_what_is_wrong()
    {
        scene.Options.BatchSize = 1001;
        scene.Options.Endpoint.Url = "ftp://user:secret@host";
        scene.Options.Mapping.Fields["age"] = new() { Constant = "old", Type = "integer" };
        scene.Options.Mapping.Fields["both"] = new() { From = "a", Constant = "b" };
        var error = Assert.Throws<ImportException>(scene.Runner);

        Assert.Equal("invalid_configuration", error.Code);
        Assert.All(["batchSize is 1001", "endpoint.url", "mapping.fields.age.constant", "mapping.fields.both"], text =>
            Assert.Contains(text, error.Message));
        Assert.DoesNotContain("secret", error.Message);
    }

    [Fact]
    public async Task The_configuration_is_a_file_of_json()
    {
        var path = scene.Write("import.json", """
            {
              // where it goes
              "name": "orders", "parallelism": 2,
              "mapping": { "key": "id", "fields": { "id": { "from": "order_id" }, "n": { "constant": 5, "type": "integer" }, "yes": { "constant": true, "type": "boolean" } } },
              "endpoint": { "url": "https://orders.example/batches", "timeout": "00:00:30" },
            }
            """);
        var options = await ImportOptions.LoadAsync(path, default);
        Assert.Empty(ImportOptionsCheck.Problems(options));
        Assert.Equal(
            ("5", "true", TimeSpan.FromSeconds(30)),
            (options.Mapping.Fields["n"].Constant, options.Mapping.Fields["yes"].Constant, options.Endpoint.Timeout));

        var wrong = await Assert.ThrowsAsync<ImportException>(
            () => ImportOptions.LoadAsync(scene.Write("wrong.json", """{ "endpont": {} }"""), default));
        Assert.Contains("endpont", wrong.Message);
    }
}
