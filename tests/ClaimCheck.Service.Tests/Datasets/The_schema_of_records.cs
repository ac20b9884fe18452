using System.Text.Json;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Sources;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.Datasets;

public class The_schema_of_records
{
    [Theory]
    [InlineData("1::int2", """{"type":["integer","null"]}""")]
    [InlineData("1::bigint", """{"type":["integer","null"]}""")]
    [InlineData("1.5::numeric(9,2)", """{"type":["number","string","null"],"pattern":"^(NaN|-?Infinity)$"}""")]
    [InlineData("1.5::real", """{"type":["number","string","null"],"pattern":"^(NaN|-?Infinity)$"}""")]
    [InlineData("true", """{"type":["boolean","null"]}""")]
    [InlineData("'x'::varchar(3)", """{"type":["string","null"]}""")]
    [InlineData("current_date", """{"type":["string","null"],"format":"date"}""")]
    [InlineData("now()", """{"type":["string","null"],"format":"date-time"}""")]
    [InlineData("now()::timestamp", """{"type":["string","null"]}""")]
    [InlineData("gen_random_uuid()", """{"type":["string","null"],"format":"uuid"}""")]
    [InlineData("''::bytea", """{"type":["string","null"],"contentEncoding":"base64"}""")]
    [InlineData("'{}'::jsonb", "{}")]
    [InlineData("'{}'::json[]", """{"type":["array","null"],"items":{}}""")]
    [InlineData("'{}'::int[]", """{"type":["array","null"],"items":{"type":["integer","null","array"]}}""")]
    [InlineData("'1 day'::interval", """{"type":["string","null"]}""")]
    public async Task A_value_has_its_schema(string value, string expected)
    {
        var schema = await SchemaAsync($"select {value} as v");

        Assert.Equal(expected, schema.GetProperty("properties").GetProperty("v").GetRawText());
    }

    [Fact]
    public async Task A_record_has_all_its_columns_and_no_other()
    {
        var schema = await SchemaAsync("select oid, relname::text as \"the \"\"name\"\"\", relhasindex from pg_class");

        Assert.Equal("https://json-schema.org/draft/2020-12/schema", schema.GetProperty("$schema").GetString());
        Assert.Equal("object", schema.GetProperty("type").GetString());
        Assert.False(schema.GetProperty("additionalProperties").GetBoolean());
        Assert.Equal(
            ["oid", "the \"name\"", "relhasindex"],
            schema.GetProperty("required").EnumerateArray().Select(name => name.GetString()));
        // NOT NULL
        Assert.Equal("boolean", schema.GetProperty("properties").GetProperty("relhasindex").GetProperty("type").GetString());
    }

    private static async Task<JsonElement> SchemaAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(await PostgresServer.NewDatabaseAsync());
        await connection.OpenAsync();
        return RecordSchema.Of(await ResultShape.DescribeAsync(connection, sql, CancellationToken.None));
    }
}
