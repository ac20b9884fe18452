using System.Buffers;
using System.Text;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Records;
using ClaimCheck.Service.Batches;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.Sources;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Exporting;

/// <summary>Whatever a source sends: it comes out as what the contract promises, or it is refused; nothing hangs,
/// nothing is guessed.</summary>
[Trait("needs", "nothing")]
public sealed class Hostile_values
{
    private const int Rounds = 500;

    private static readonly Dictionary<string, string[]> Good = new()
    {
        ["bigint"] = ["1", "-9223372036854775808"],
        ["numeric"] = ["0.10", "NaN", "12345678901234567890.1234567890"],
        ["double precision"] = ["1e+20", "-Infinity", "0.1", "5e-324"],
        ["boolean"] = ["t", "f"],
        ["date"] = ["2026-01-31", "infinity", "12026-01-31", "0044-03-15 BC"],
        ["interval"] = ["P1Y2M3DT4H5M6.789S", "PT0S", "P-1DT-0.5S"],
        ["timestamp without time zone"] = ["2026-01-31 12:34:56", "2026-01-31 12:34:56.789", "-infinity",
            "0044-03-15 12:00:00 BC"],
        ["timestamp with time zone"] = ["2026-01-31 12:34:56.000001+00", "12026-01-31 00:00:00+00", "0044-03-15 12:00:00+00 BC"],
        ["bytea"] = ["\\x", "\\x00ff"],
        ["json"] = ["{\"a\":[1,2.5e3,null,\"x\\\\n\"]}", "\"\\ud83e\"", "[\n1,\t2]"],
        ["text"] = ["", "a", "a \"b\", c", "é🦊"],
        ["integer[]"] = ["{}", "{1,NULL,3}", "[2:3]={4,5}", "{{1,2},{3,4}}"],
        ["text[]"] = ["{a,\"b \\\"c\\\" \\\\\",NULL,\"NULL\"}"],
        ["bytea[]"] = ["{\"\\\\x00ff\"}"],
        ["box[]"] = ["{(1,1),(0,0);(2,2),(0,0)}"],
    };

    private static readonly IReadOnlyList<Column> Columns =
        [.. Good.Keys.Select((type, i) => new Column(i == 0 ? "id" : $"c{i}", type, true))];

    [Theory]
    [InlineData("bytea", "abc")] // bytea_output = escape
    [InlineData("bytea", "\\000\\001")]
    [InlineData("bytea", "\\x0")]
    [InlineData("bytea", "\\x0g")]
    [InlineData("bytea", "")]
    [InlineData("boolean", "true")]
    [InlineData("boolean", "")]
    [InlineData("date", "31.01.2026")] // DateStyle
    [InlineData("date", "01/31/2026")]
    [InlineData("interval", "1 day")] // IntervalStyle
    [InlineData("interval", "P")]
    [InlineData("timestamp without time zone", "Sat Jan 31 12:34:56 2026")]
    [InlineData("timestamp with time zone", "2026-01-31 13:34:56+01")] // TimeZone
    [InlineData("timestamp with time zone", "2026-01-31 12:34:56")]
    [InlineData("bigint", "")]
    [InlineData("bigint", "1x")]
    [InlineData("bigint", "0x10")]
    [InlineData("numeric", "1.")]
    [InlineData("numeric", "01")]
    [InlineData("numeric", "1,5")]
    [InlineData("double precision", "inf")]
    [InlineData("json", "{")]
    [InlineData("json", "")]
    [InlineData("json", "1 2")]
    [InlineData("json", "{'a':1}")]
    [InlineData("integer[]", "1,2")]
    [InlineData("integer[]", "{1,2")]
    [InlineData("integer[]", "{1,,2}")]
    [InlineData("integer[]", "{1}2")]
    [InlineData("integer[]", "{1}}")]
    [InlineData("integer[]", "[1:2{1}")]
    [InlineData("integer[]", "")]
    [InlineData("text[]", "{\"a}")]
    [InlineData("text[]", "{\"a\\")]
    [InlineData("text[]", "{\"a\"b}")]
    [InlineData("bytea[]", "{abc}")]
    public void A_text_that_is_not_of_its_type_s_form_fails_the_export_by_column_and_place(string type, string text)
    {
        var copied = text.Replace("\\", "\\\\", StringComparison.Ordinal);

        var failure = Assert.Throws<SourceException>(
            () => ReadCopy([new("id", "bigint", false), new("odd one", type, true)], $"7\t\\N\n8\t{copied}\n"));

        Assert.Equal(("value_not_understood", false), (failure.Code, failure.IsTransient));
        Assert.StartsWith("The value of column odd one in record 2 ", failure.Message, StringComparison.Ordinal);
        Assert.True(text.Length < 3 || !failure.ToString().Contains(text, StringComparison.Ordinal));
    }

    [Fact]
    public void JSON_that_is_nested_deeper_than_readers_take_fails_the_export_as_just_that()
    {
        Contracts.Column[] columns = [new("id", "bigint", false), new("doc", "json", true)];
        Assert.Contains("]]", ReadCopy(columns, $"1\t{Nested(JsonDepth.OfValues)}\n"), StringComparison.Ordinal);

        var failure = Assert.Throws<SourceException>(() => ReadCopy(columns, $"1\t{Nested(JsonDepth.OfValues + 1)}\n"));

        Assert.Equal("value_too_deep", failure.Code);
        Assert.Equal(
            $"The value of column doc in record 1 is nested deeper than {JsonDepth.OfValues} levels, which is the limit.",
            failure.Message);

        static string Nested(int levels) => new string('[', levels) + new string(']', levels);
    }

    [Theory]
    [InlineData("ndjson", "1\ta")] // ends within a record
    [InlineData("ndjson", "1\ta\n2")]
    [InlineData("ndjson", "1\n")]
    [InlineData("ndjson", "1\ta\tb\n")]
    [InlineData("ndjson", "1\t\\\n")]
    [InlineData("ndjson", "1\t\\q\n")]
    [InlineData("ndjson", "1\t\xFF\n")]
    [InlineData("csv", "1,a")]
    [InlineData("csv", "1,\"a\n")]
    [InlineData("csv", "\"1\"x,a\n")]
    [InlineData("csv", "1,\xFF\n")]
    public void A_copy_that_is_not_what_was_asked_for_fails_the_export(string format, string copy)
    {
        var failure = Assert.Throws<SourceException>(
            () => Read(format, [new("id", "bigint", false), new("note", "text", true)], [Encoding.Latin1.GetBytes(copy)]));

        Assert.Equal("value_not_understood", failure.Code);
    }

    [Fact]
    public async Task Random_COPY_text_comes_out_as_JSON_or_is_refused()
    {
        var hostile = new HostileText(20260131);
        await HostileText.EndsAsync(() =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                var lines = Enumerable.Range(0, hostile.Random.Next(4)).Select(_ => string.Join('\t', Columns.Select(column =>
                {
                    var good = Good[column.Type];
                    return good[hostile.Random.Next(good.Length)].Replace("\\", "\\\\", StringComparison.Ordinal)
                        .Replace("\n", "\\n", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal);
                })) + "\n");
                var copy = hostile.Of(string.Concat(lines));
                try
                {
                    var text = Read("ndjson", Columns, hostile.Portions(copy));
                    foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                        Assert.Equal(
                            Columns.Select(column => column.Name),
                            Parse(line).EnumerateObject().Select(property => property.Name));
                }
                catch (SourceException e)
                {
                    Assert.Contains(e.Code, (string[])["value_not_understood", "key_null"]);
                }
            }
        });
    }

    [Fact]
    public async Task Random_CSV_comes_out_as_it_is_or_is_refused()
    {
        var hostile = new HostileText(20260201);
        Column[] columns = [new("note", "text", true), new("id", "bigint", false), new("more", "text", true)];
        await HostileText.EndsAsync(() =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                var copy = hostile.Of("", "a,1,b\n\"a \"\"b\"\", c\",2,\n", "\"x\ny\",3,\"\"\n,4,é\n");
                try
                {
                    Assert.Equal(Encoding.UTF8.GetString(copy), Read("csv", columns, hostile.Portions(copy)));
                }
                catch (SourceException e)
                {
                    Assert.Contains(e.Code, (string[])["value_not_understood", "key_null"]);
                }
            }
        });
    }

    [Fact]
    public async Task Random_values_come_out_as_JSON_or_are_refused()
    {
        var hostile = new HostileText(20260202);
        var output = new BlockBuilder(new BlockBuffers(64 << 10), int.MaxValue / 4);
        var writer = new JsonValueWriter(output, CancellationToken.None);
        await HostileText.EndsAsync(() =>
        {
            foreach (var (type, good) in Good)
            {
                var (value, kind) = (ColumnTypes.Of(type), JsonKinds.Of(ColumnTypes.Of(type)));
                for (var round = 0; round < Rounds; round++)
                {
                    output.Truncate(0);
                    var text = hostile.Of(good);
                    // Formats have looked at records as a whole: what is no UTF-8 does not get here.
                    if (!System.Text.Unicode.Utf8.IsValid(text))
                        continue;
                    try
                    {
                        writer.Write(text, kind, value);
                        Parse(Encoding.UTF8.GetString(output.Written));
                    }
                    catch (FormatException)
                    {
                    }
                }
            }
        });
    }

    [Fact]
    public async Task Random_CSV_makes_a_page_of_JSON_or_is_refused()
    {
        var hostile = new HostileText(20260203);
        Column[] columns =
            [new("id", "bigint", false), new("b", "bytea", true), new("a", "text[]", true), new("j", "jsonb", true)];
        await HostileText.EndsAsync(() =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                var text = hostile.Of(
                    "1,\\x00,\"{a,\"\"b\"\"}\",\"{\"\"a\"\":1}\"\n2,,{},null\n", "3,abc,{,{\n4,\"\",\"\",\"\"\n");
                if (!System.Text.Unicode.Utf8.IsValid(text))
                    continue;
                var page = new ArrayBufferWriter<byte>();
                try
                {
                    new CsvRecords(columns, null, CancellationToken.None)
                        .Write(text, hostile.Random.Next(2), 1 + hostile.Random.Next(2), page, isFirst: true);
                    Parse($"[{Encoding.UTF8.GetString(page.WrittenSpan)}]");
                }
                catch (InvalidDataException)
                {
                }
            }
        });
    }

    [Fact]
    public void A_page_gives_values_that_are_not_of_their_form_as_text()
    {
        var page = new ArrayBufferWriter<byte>();

        new CsvRecords(
            [new("id", "bigint", false), new("yes", "boolean", true), new("b", "bytea", true), new("a", "integer[]", true)],
            null,
            CancellationToken.None)
            .Write("7,true,abc,\"{1,{\"\n"u8, 0, 1, page, isFirst: true);

        Assert.Equal("""{"id":7,"yes":"true","b":"abc","a":"{1,{"}""", Encoding.UTF8.GetString(page.WrittenSpan));
    }

    private static string ReadCopy(IReadOnlyList<Column> columns, string copy) =>
        Read("ndjson", columns, [Encoding.UTF8.GetBytes(copy)]);

    private static string Read(string format, IReadOnlyList<Column> columns, IEnumerable<byte[]> portions)
    {
        var blocks = new BlockBuilder(new BlockBuffers(), 4 << 10);
        var keys = new KeyCheck(columns.Select(column => column.Name).ToList().IndexOf("id"), isOrdered: false);
        IRecordFormat reader = format == "csv"
            ? new CsvFormat(columns, blocks, keys, CancellationToken.None)
            : new NdjsonFormat(
                [.. columns.Select(column => new ResultColumn(column.Name, column.Type, true, ColumnTypes.Of(column.Type)))],
                blocks, keys, CancellationToken.None);
        foreach (var portion in portions)
        {
            portion.CopyTo(reader.Space().Span);
            reader.Accept(portion.Length);
        }

        reader.EndCopy();
        reader.Finish();
        var text = new StringBuilder();
        while (blocks.Ready.TryDequeue(out var block))
            text.Append(Encoding.UTF8.GetString(block.Bytes));
        return text.ToString();
    }

    private static JsonElement Parse(string json) => JsonElement.Parse(json, new JsonDocumentOptions { MaxDepth = 1000 });
}
