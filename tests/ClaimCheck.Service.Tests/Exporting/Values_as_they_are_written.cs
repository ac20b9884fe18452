using System.Text.Json;

namespace ClaimCheck.Service.Tests.Exporting;

public sealed class Values_as_they_are_written
{
    private const string Schema = """
        CREATE TYPE mood AS ENUM ('glad', 'so "so"');
        CREATE DOMAIN code AS varchar(8);
        CREATE DOMAIN pair AS int[];
        CREATE DOMAIN money2 AS numeric(12,2);
        CREATE TYPE point3 AS (x int, y text);
        """;

    // An SQL expression and its JSON.
    public static TheoryData<string, string> Values => new()
    {
        { "1::smallint", "1" },
        { "'-2147483648'::int", "-2147483648" },
        { "9223372036854775807::bigint", "9223372036854775807" },
        { "0.10::numeric", "0.10" },
        { "12345678901234567890.123456789012345678901234567890::numeric", "12345678901234567890.123456789012345678901234567890" },
        { "'NaN'::numeric", "\"NaN\"" },
        { "'-Infinity'::numeric", "\"-Infinity\"" },
        { "1e20::float8", "1e+20" },
        { "1.5e-7::float8", "1.5e-07" },
        { "0.1::float4", "0.1" },
        { "'-0'::float8", "-0" },
        { "'NaN'::float8", "\"NaN\"" },
        { "'Infinity'::float4", "\"Infinity\"" },
        { "'-Infinity'::float8", "\"-Infinity\"" },
        { "7.5::money2", "7.50" },
        { "true", "true" },
        { "false", "false" },
        { "NULL::int", "null" },
        { "NULL::text", "null" },
        { "''::text", "\"\"" },
        { "'NULL'::text", "\"NULL\"" },
        { "'\\N'::text", "\"\\\\N\"" },
        { "'\\.'::text", "\"\\\\.\"" },
        { "E'\\b\\f\\n\\r\\t\\x0B\\x01\\x1F\\x7F \"\\\\ /'::text", "\"\\b\\f\\n\\r\\t\\u000b\\u0001\\u001f\u007f \\\"\\\\ /\"" },
        { "'Grüße, 東京 🦊'::text", "\"Grüße, 東京 🦊\"" },
        { "'ab'::character(5)", "\"ab   \"" },
        { "'x'::\"char\"", "\"x\"" },
        { "'n'::name", "\"n\"" },
        { "'v'::code", "\"v\"" },
        { "date '2024-02-29'", "\"2024-02-29\"" },
        { "date 'infinity'", "\"infinity\"" },
        { "date '0044-03-15 BC'", "\"0044-03-15 BC\"" },
        { "date '12024-01-01'", "\"12024-01-01\"" },
        { "timestamptz '2024-02-29 12:00:00.120000+02'", "\"2024-02-29T10:00:00.12Z\"" },
        { "timestamptz '2024-02-29 12:00:00Z'", "\"2024-02-29T12:00:00Z\"" },
        { "timestamptz '-infinity'", "\"-infinity\"" },
        { "timestamptz '0044-03-15 12:00:00Z BC'", "\"0044-03-15 12:00:00+00 BC\"" },
        { "timestamptz '12024-01-01 00:00:00Z'", "\"12024-01-01 00:00:00+00\"" },
        { "timestamp '2024-02-29 12:00:00.000001'", "\"2024-02-29T12:00:00.000001\"" },
        { "timestamp 'infinity'", "\"infinity\"" },
        { "timestamp '0044-03-15 12:00:00 BC'", "\"0044-03-15 12:00:00 BC\"" },
        { "timestamp '12024-01-01 00:00:00'", "\"12024-01-01 00:00:00\"" },
        { "time '12:00:00.5'", "\"12:00:00.5\"" },
        { "timetz '12:00:00+02'", "\"12:00:00+02\"" },
        { "interval '1 year 2 days 03:04:05'", "\"P1Y2DT3H4M5S\"" },
        { "'{\"a\": [1, \"x\\ty\"]}'::jsonb", "{\"a\": [1, \"x\\ty\"]}" },
        { "E'{\\n\\t\"a\" :\\r\\n \"\\\\n\\\\u0041\\\\\\\\\"}'::json", "{  \"a\" :   \"\\n\\u0041\\\\\"}" },
        { "'null'::jsonb", "null" },
        { "'1e400'::json", "1e400" },
        { "'\\x'::bytea", "\"\"" },
        { "'\\x00ff5c22'::bytea", "\"AP9cIg==\"" },
        { "decode(repeat('ab', 10000), 'hex')", "\"" + Convert.ToBase64String([.. Enumerable.Repeat((byte)0xAB, 10000)]) + "\"" },
        { "'11111111-2222-3333-4444-555555555555'::uuid", "\"11111111-2222-3333-4444-555555555555\"" },
        { "'192.168.0.1/24'::inet", "\"192.168.0.1/24\"" },
        { "'08:00:2b:01:02:03'::macaddr", "\"08:00:2b:01:02:03\"" },
        { "12.5::money", "\"$12.50\"" },
        { "B'101'::bit(3)", "\"101\"" },
        { "point '(1,2)'", "\"(1,2)\"" },
        { "'<a>\"x\"</a>'::xml", "\"<a>\\\"x\\\"</a>\"" },
        { "'the fat cat'::tsvector", "\"'cat' 'fat' 'the'\"" },
        { "'so \"so\"'::mood", "\"so \\\"so\\\"\"" },
        { "int4range(1, 5)", "\"[1,5)\"" },
        { "ROW(1, 'a \"b\"')::point3", "\"(1,\\\"a \\\"\\\"b\\\"\\\"\\\")\"" },
        { "42::oid", "\"42\"" },
        { "'1 2 3'::int2vector", "\"1 2 3\"" },
        { "'{}'::int[]", "[]" },
        { "'{1,NULL,-3}'::int[]", "[1,null,-3]" },
        { "'[2:3]={4,5}'::int[]", "[4,5]" },
        { "'[0:0][2:3]={{4,5}}'::int[]", "[[4,5]]" },
        { "'{{1,2},{3,4}}'::bigint[]", "[[1,2],[3,4]]" },
        { "ARRAY['a', NULL, 'NULL', '', 'x,y', '{z}', E'q\"\\\\\\n', ' b ']",
            "[\"a\",null,\"NULL\",\"\",\"x,y\",\"{z}\",\"q\\\"\\\\\\n\",\" b \"]" },
        { "ARRAY[true, false, NULL]", "[true,false,null]" },
        { "ARRAY['NaN', 1.50, 'Infinity']::numeric[]", "[\"NaN\",1.50,\"Infinity\"]" },
        { "ARRAY['{\"a\": \"b, }\"}', '[1, null]', 'null']::jsonb[]", "[{\"a\": \"b, }\"},[1, null],null]" },
        { "ARRAY['\\x00', '\\xff']::bytea[]", "[\"AA==\",\"/w==\"]" },
        { "ARRAY[timestamptz '2024-01-01 00:00:00Z', 'infinity', NULL]", "[\"2024-01-01T00:00:00Z\",\"infinity\",null]" },
        { "ARRAY[timestamp '2024-01-01 00:00:00', date '2024-01-02']", "[\"2024-01-01T00:00:00\",\"2024-01-02T00:00:00\"]" },
        { "ARRAY['ab']::character(4)[]", "[\"ab  \"]" },
        { "'{(3,3),(1,1);(4,4),(2,2)}'::box[]", "[\"(3,3),(1,1)\",\"(4,4),(2,2)\"]" },
        { "'{\"{1,2}\",\"{}\",NULL,\"{NULL}\"}'::pair[]", "[[1,2],[],null,[null]]" },
        { "ARRAY['v', 'w x']::code[]", "[\"v\",\"w x\"]" },
        { "ARRAY['so \"so\"', 'glad']::mood[]", "[\"so \\\"so\\\"\",\"glad\"]" },
        { "ARRAY[interval '1 day']", "[\"P1D\"]" },
        { "'{1,2}'::pair", "[1,2]" },
    };

    [Fact]
    public async Task Every_type_reads_back_from_csv_as_what_the_database_says()
    {
        await using var run = await ExportRun.NewAsync(Schema);
        var expressions = Values.Select(row => (string)((object[])row)[0]).ToList();
        var sql = Select(expressions);

        var record = CsvText.Parse(await run.TextAsync(sql))[0];

        await using var command = run.Source.CreateCommand(
            $"SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'; {sql}");
        command.AllResultTypesAreUnknown = true; // answers come as the types' own text
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        for (var i = 0; i < record.Length; i++)
            Assert.Equal((i, reader.IsDBNull(i) ? null : reader.GetString(i)), (i, record[i]));
    }

    [Fact]
    public async Task Every_type_is_written_as_the_contract_says_in_ndjson()
    {
        await using var run = await ExportRun.NewAsync(Schema);
        run.Format = "ndjson";
        var rows = Values.Select(row => (Expression: (string)((object[])row)[0], Json: (string)((object[])row)[1])).ToList();

        var text = await run.TextAsync(Select(rows.Select(row => row.Expression)));

        var line = Assert.Single(text.TrimEnd('\n').Split('\n'));
        using var record = JsonDocument.Parse(line);
        Assert.Equal(
            ["id", .. rows.Select((_, index) => $"c\"{index}")],
            record.RootElement.EnumerateObject().Select(property => property.Name));
        for (var i = 0; i < rows.Count; i++)
            Assert.Equal(
                $"{rows[i].Expression} {rows[i].Json}",
                $"{rows[i].Expression} {record.RootElement.GetProperty($"c\"{i}").GetRawText()}");
    }

    private static string Select(IEnumerable<string> expressions) =>
        "SELECT 1 AS id, " + string.Join(", ", expressions.Select((expression, index) => $"{expression} AS \"c\"\"{index}\""));
}
