using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using ClaimCheck.Records;
using ClaimCheck.Records.Blocks;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.BulkJobs;
using ClaimCheck.Service.BulkJobs.Bodies;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.ProducerBatches;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Startup;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.BulkJobs;

/// <summary>Whatever a body or a criterion holds: it is taken, or it is refused in the one way that its
/// reader declares.</summary>
[Trait("needs", "nothing")]
public sealed class Hostile_items
{
    private const int Rounds = 1500;

    private static readonly string[] Types =
        ["text", "uuid", "smallint", "bigint", "numeric", "real", "double precision", "boolean", "date", "time", "timestamp",
            "timestamptz", "interval", "jsonb", "text[]", "timestamptz[]"];

    private static readonly string[] Good =
    [
        "1", "-32768", "1.5e3", "0.1", "true", "t", "null", "\"a\\\"\\u00e9\"", "[1,\"a\",null]", "{\"a\":[1]}", "{a,b}",
        "2026-01-31", "12:34:56.789", "2026-01-31T12:34:56.123456Z",
        "2026-01-31 12:34:56+00", "P1Y2M3DT4H5M6.7S", "0198c2f4-1111-7222-8333-444455556666", "infinity", "NaN",
    ];

    [Theory]
    [InlineData("real", "16777217")]
    [InlineData("real", "1e-60")]
    [InlineData("real", "0.123456789")]
    [InlineData("double precision", "9007199254740993")]
    [InlineData("double precision", "0.12345678901234567891")]
    [InlineData("double precision", "1e-400")]
    public void A_number_that_its_type_would_round_is_no_item(string type, string number)
    {
        Assert.NotNull(Items(type).Read(0, Encoding.UTF8.GetBytes($$"""{"v":{{number}}}""")).Invalid);
        Assert.NotNull(new TextItems(OperationOf(type), [0]).Read(0, [number]).Invalid);
    }

    [Theory]
    [InlineData("real", "0.1")]
    [InlineData("double precision", "0.30000000000000004")]
    [InlineData("double precision", "1e300")]
    [InlineData("numeric", "0.1234567890123456789012345678901234")]
    [InlineData("timestamptz", "2026-01-31T00:00:00.123456789Z")]
    [InlineData("timestamptz", "2026-01-31 00:00:00+00")]
    [InlineData("timestamp", "0044-03-15 00:00:00 BC")]
    [InlineData("time", "24:00")]
    [InlineData("interval", "P-1Y-2M3DT-4H-5M-6.7S")]
    [InlineData("integer[]", "{1,NULL}")]
    [InlineData("integer[]", "[2:3]={1,2}")]
    [InlineData("shop.mood", "so \"so\"")]
    public void A_text_that_the_target_reads_is_left_as_it_is(string type, string text)
    {
        Assert.Equal(text, Assert.Single(new TextItems(OperationOf(type), [0]).Read(0, [text]).Values!));
        Assert.Equal(text, Assert.Single(Items(type).Read(0, JsonSerializer.SerializeToUtf8Bytes(new { v = text })).Values!));
    }

    [Theory]
    [InlineData("integer", "1e3", "1000")]
    [InlineData("integer[]", "[1,null,-3]", """{"1",NULL,"-3"}""")]
    [InlineData("integer[]", "[[1,2],[3,4]]", """{{"1","2"},{"3","4"}}""")]
    [InlineData("text[]", "[\"a \\\"b\\\"\",\"NULL\",null,\"\"]", """{"a \"b\"","NULL",NULL,""}""")]
    [InlineData("bytea[]", "[\"AP8=\",null]", """{"\\x00ff",NULL}""")]
    [InlineData("jsonb[]", """[[1,{"a":null}],null]""", """{"[1,{\"a\":null}]",NULL}""")]
    [InlineData("box[]", "[\"(1,1),(0,0)\",\"(2,2),(0,0)\"]", """{"(1,1),(0,0)";"(2,2),(0,0)"}""")]
    [InlineData("bytea", "\"AP8=\"", "\\x00ff")]
    [InlineData("json", """{"a":1,"a":"\ud800"}""", """{"a":1,"a":"\ud800"}""")]
    [InlineData("text", "12", "12")]
    public void What_JSON_has_of_its_own_becomes_the_target_s_text(string type, string json, string expected) =>
        Assert.Equal(expected, Assert.Single(Items(type).Read(0, Encoding.UTF8.GetBytes($$"""{"v":{{json}}}""")).Values!));

    [Fact]
    public void How_deep_JSON_may_be_nested_is_one_limit_and_said_to_be_it()
    {
        const string limit = "nested deeper than 16000 levels, which is the limit";
        Contracts.Column[] columns = [new("id", "bigint", false), new("v", "json", true)];
        foreach (var isBeyond in (bool[])[false, true])
        {
            var levels = JsonDepth.OfRecords - (isBeyond ? 0 : 1); // and the record's own
            var line = Encoding.UTF8.GetBytes($$"""{"id":1,"v":{{new string('[', levels)}}{{new string(']', levels)}}}""" + "\n");

            // An item of a job.
            var item = new JsonItems(OperationOf("json", "id") with { Key = "id" }).Read(0, line);
            Assert.Equal(isBeyond ? $"The item is {limit}." : null, item.Invalid);

            // An upload.
            using var distinct = new DistinctKeys(new KeySpace(new TemporaryFiles(Path.GetTempPath()), 1 << 20));
            var upload = new ProducerNdjson(
                columns, "id", new BlockBuilder(new BlockBuffers(), 4 << 10), 1 << 20, distinct);
            upload.BeginFile(new ProducerFile(1, "f", line.Length, new byte[32], Records: 1, null, null, null));
            line.CopyTo(upload.Space().Span);
            var refused = Xunit.Record.Exception(() => upload.Accept(line.Length)) as SourceException;
            Assert.Equal(
                isBeyond ? ("upload_too_deep", $"Record 1 of f is {limit}.") : default, (refused?.Code!, refused?.Message!));

            // A consumer.
            var rows = new JsonRows(columns, new((message, _) => new Consumer.RecordMismatchException(message), (message, _) =>
                new Consumer.RecordMismatchException(message)));
            rows.Load(line, line.Length, "f", 0);
            var mismatch = Xunit.Record.Exception(() => rows.Next());
            Assert.True(isBeyond
                ? mismatch is Consumer.RecordMismatchException && mismatch.Message.Contains(limit, StringComparison.Ordinal)
                : mismatch is null, $"{mismatch}");
        }
    }

    [Fact]
    public async Task Random_values_are_taken_or_refused()
    {
        var hostile = new HostileText(20260205);
        await HostileText.EndsAsync(() =>
        {
            foreach (var type in Types)
            {
                for (var round = 0; round < Rounds / 4; round++)
                {
                    var text = hostile.Of(Good);
                    Items(type).Read(0, [.. "{\"v\":"u8, .. text, .. "}"u8]);
                    if (System.Text.Unicode.Utf8.IsValid(text))
                        new TextItems(OperationOf(type), [0]).Read(0, [Encoding.UTF8.GetString(text)]);
                    Canonical(type, text);
                }
            }
        });
    }

    [Fact]
    public async Task Random_bodies_are_cut_into_the_same_records_however_they_come()
    {
        var hostile = new HostileText(20260206);
        for (var round = 0; round < Rounds / 3; round++)
        {
            var body = hostile.Of("id,v\r\n1,\"a\nb\"\n2,\"c \"\"d\"\"\"\n", "\uFEFF{\"v\":1}\n\n{\"v\":\"é\"}", "1,a,\"\n\"\n");
            foreach (var isCsv in (bool[])[true, false])
            {
                var whole = await CutAsync([body], isCsv);
                // Where a quoted field is given up depends on how it comes.
                if (await CutAsync(hostile.Portions(body), isCsv) is { } cut && whole is not null)
                    Assert.Equal(whole, cut);
            }
        }
    }

    [Fact]
    public async Task Random_uploads_are_taken_or_refused()
    {
        var hostile = new HostileText(20260207);
        Contracts.Column[] columns = [new("id", "bigint", false), new("note", "text", true)];
        using var distinct = new DistinctKeys(new KeySpace(new TemporaryFiles(Path.GetTempPath()), 1 << 20));
        await HostileText.EndsAsync(() =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                var isCsv = round % 2 == 0;
                var blocks = new BlockBuilder(new BlockBuffers(), 4 << 10);
                ProducerRecords records = isCsv
                    ? new ProducerCsv(columns, "id", blocks, 300, distinct)
                    : new ProducerNdjson(columns, "id", blocks, 300, distinct);
                var file = isCsv
                    ? hostile.Of("id,note\n1,\"a \"\"b\"\"\"\r\n2,\n", "\uFEFFid,note\n3,\"x\ny\"")
                    : hostile.Of(
                        "{\"id\":4,\"note\":\"a\\u00e9\"}\n{\"id\":5,\"note\":null}\n", "\uFEFF{\"id\":\"\\\"6\",\"note\":[]}");
                records.BeginFile(new ProducerFile(1, "f", file.Length, new byte[32], Records: 2, null, null, null));
                try
                {
                    foreach (var portion in hostile.Portions(file))
                    {
                        portion.CopyTo(records.Space().Span);
                        records.Accept(portion.Length);
                    }

                    records.EndFile();
                }
                catch (SourceException e)
                {
                    Assert.Contains(
                        e.Code, (string[])["upload_malformed", "upload_mismatch", "upload_record_too_large", "key_not_unique"]);
                }
            }
        });
    }

    [Fact]
    public async Task Random_queries_are_read_or_refused()
    {
        var hostile = new HostileText(20260208);
        await HostileText.EndsAsync(() =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                var sql = Encoding.UTF8.GetString(hostile.Of(
                    "SELECT id, 'a''b' AS \"c\" FROM t WHERE a[1:2] = :a::int /* b */ ORDER BY id; -- c",
                    "WITH w AS (SELECT $$x$$, E'\\'') SELECT * FROM w WHERE b = (:b)"));
                try
                {
                    SourceSql.Parse(sql).OrderedBy(["id"]);
                }
                catch (FormatException)
                {
                }
            }
        });
    }

    private static void Canonical(string type, byte[] json)
    {
        try
        {
            var value = JsonElement.Parse(json);
            using var writer = new Utf8JsonWriter(Stream.Null);
            CanonicalValue.Write(writer, type, value);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
        }
    }

    private static async Task<List<string>?> CutAsync(IEnumerable<byte[]> portions, bool isCsv)
    {
        var pipe = new Pipe();
        var records = new List<string>();
        var reading = new BodyRecords(pipe.Reader, isCsv, 40).ReadAsync(
            record =>
            {
                var text = record is { } taken ? System.Buffers.BuffersExtensions.ToArray(taken) : null;
                records.Add(text is null ? "too long" : Convert.ToHexStringLower(text));
                if (isCsv && text is not null)
                    CsvFields.Split(text);
                return ValueTask.CompletedTask;
            },
            CancellationToken.None);
        foreach (var portion in portions)
            await pipe.Writer.WriteAsync(portion);
        await pipe.Writer.CompleteAsync();
        try
        {
            await reading.WaitAsync(TimeSpan.FromMinutes(2));
        }
        catch (InvalidDataException)
        {
            return null;
        }

        return records;
    }

    private static JsonItems Items(string type) => new(OperationOf(type));

    private static Operation OperationOf(string type, params string[] others) => new()
    {
        Name = "o",
        Title = "o",
        Target = "t",
        Form = Operation.ItemForm,
        Key = "v",
        Chunk = 1,
        Atomicity = Operation.PerItem,
        Delivery = Operation.AtLeastOnce,
        Concurrency = 1,
        Parameters = [new("v", type, false), .. others.Select(name => new Dataset.Parameter(name, "bigint", false))],
        Sql = "",
    };
}
