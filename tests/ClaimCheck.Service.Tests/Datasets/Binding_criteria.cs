using System.Text.Json;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Sources;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.Datasets;

public class Binding_criteria
{
    public static TheoryData<string, string, string> Canonical => new()
    {
        { "text", "\"a'b\\\\ é 😀 \"", "\"a'b\\\\ é \\uD83D\\uDE00 \"" },
        { "text", "\"\\u00e9\"", "\"é\"" },
        { "text", "\"\"", "\"\"" },
        { "varchar", "\"x\"", "\"x\"" },
        { "uuid", "\"01890A5D-AC96-774B-BCCE-B302099A8057\"", "\"01890a5d-ac96-774b-bcce-b302099a8057\"" },
        { "smallint", "-32768", "-32768" },
        { "integer", "1e3", "1000" },
        { "integer", "7.0", "7" },
        { "integer", "-0", "0" },
        { "bigint", "9223372036854775807", "9223372036854775807" },
        { "numeric", "1.50", "1.5" },
        { "numeric", "15e-1", "1.5" },
        { "numeric", "0.1E+2", "10" },
        { "numeric", "-0.000", "0" },
        { "numeric", "123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789" },
        { "real", "0.1", "0.1" },
        { "double precision", "1E-7", "0.0000001" },
        { "double precision", "0.1000", "0.1" },
        { "double precision", "9007199254740992", "9007199254740992" },
        { "real", "16777216.0", "16777216" },
        { "double precision", "1.7976931348623157e308", CanonicalNumber.Plain("1.7976931348623157e308") },
        { "double precision", "5e-324", CanonicalNumber.Plain("5e-324") },
        { "boolean", "false", "false" },
        { "date", "\"0001-01-01\"", "\"0001-01-01\"" },
        { "date", "\"2024-02-29\"", "\"2024-02-29\"" },
        { "time", "\"23:59:59.9999990\"", "\"23:59:59.999999\"" },
        { "timestamp", "\"2026-01-31 12:30:00\"", "\"2026-01-31T12:30:00\"" },
        { "timestamp", "\"9999-12-31T23:59:59.999999\"", "\"9999-12-31T23:59:59.999999\"" },
        { "timestamptz", "\"2026-01-01T00:00:00Z\"", "\"2026-01-01T00:00:00Z\"" },
        { "timestamptz", "\"2026-01-01t01:00:00.000+01:00\"", "\"2026-01-01T00:00:00Z\"" },
        { "timestamptz", "\"2025-12-31T12:00:00-12:00\"", "\"2026-01-01T00:00:00Z\"" },
        { "timestamptz", "\"2026-01-01T00:00:00.1234567Z\"", "\"2026-01-01T00:00:00.123457Z\"" },
        { "timestamptz", "\"0001-01-01T00:00:00Z\"", "\"0001-01-01T00:00:00Z\"" },
        { "interval", "\"P1Y2M\"", "\"P1Y2M\"" },
        { "interval", "\"P14M\"", "\"P1Y2M\"" },
        { "interval", "\"P2W\"", "\"P14D\"" },
        { "interval", "\"PT90M\"", "\"PT1H30M\"" },
        { "interval", "\"PT0.50S\"", "\"PT0.5S\"" },
        { "interval", "\"P0D\"", "\"PT0S\"" },
        { "interval", "\"P178956970Y7M999999999DT999999998H59M60.999999S\"", "\"P178956970Y7M999999999DT999999999H0.999999S\"" },
        { "jsonb", "{ \"b\": [1.0, null, true], \"a\": \"x\" }", "{\"a\":\"x\",\"b\":[1,null,true]}" },
        { "json", "\"x\"", "\"x\"" },
        { "text[]", "[ \"a,b\", \"\", \"NULL\", \"\\\"\" ]", "[\"a,b\",\"\",\"NULL\",\"\\\"\"]" },
        { "bigint[]", "[1, 2e0]", "[1,2]" },
        { "timestamptz[]", "[\"2026-01-01T01:00:00+01:00\"]", "[\"2026-01-01T00:00:00Z\"]" },
        { "double precision[]", "[]", "[]" },
    };

    [Theory]
    [MemberData(nameof(Canonical))]
    public void One_meaning_has_one_form(string type, string given, string expected)
    {
        var bound = CriteriaBinder.Bind(DatasetOf(("v", type, true)), JsonElement.Parse($$"""{"v":{{given}}}"""));

        Assert.Empty(bound.Errors);
        Assert.Equal($$"""{"v":{{expected}}}""", bound.Canonical.GetRawText());
        Assert.Equal(
            bound.Canonical.GetRawText(),
            CriteriaBinder.Bind(DatasetOf(("v", type, true)), bound.Canonical).Canonical.GetRawText());
    }

    [Fact]
    public async Task Every_canonical_form_is_a_value_to_Postgres_also_after_it_was_stored_as_jsonb()
    {
        await using var source = NpgsqlDataSource.Create(await PostgresServer.NewDatabaseAsync());
        foreach (var row in Canonical)
        {
            var (type, canonical) = ((string)row[0], $$"""{"v":{{row[2]}}}""");
            await using var store = source.CreateCommand("SELECT $1::jsonb::text");
            store.Parameters.Add(new NpgsqlParameter<string> { TypedValue = canonical });
            var stored = (string)(await store.ExecuteScalarAsync())!;

            var types = new Dictionary<string, string>(StringComparer.Ordinal) { ["v"] = type };
            var now = SourceQuery.Render("select :v", types, JsonElement.Parse(canonical));
            var later = SourceQuery.Render("select :v", types, JsonElement.Parse(stored));
            await using var compare = source.CreateCommand($"SELECT ({now})::text = ({later})::text");
            Assert.Equal(true, await compare.ExecuteScalarAsync());
        }
    }

    [Theory]
    [InlineData("text", "1")]
    [InlineData("text", "\"a\\u0000b\"")]
    [InlineData("text", "\"\\ud800\"")]
    [InlineData("text", "[\"a\"]")]
    [InlineData("uuid", "\"01890a5dac96774bbcceb302099a8057\"")]
    [InlineData("uuid", "\"{01890a5d-ac96-774b-bcce-b302099a8057}\"")]
    [InlineData("uuid", "\" 01890a5d-ac96-774b-bcce-b302099a805\"")]
    [InlineData("smallint", "32768")]
    [InlineData("integer", "2147483648")]
    [InlineData("integer", "1.5")]
    [InlineData("integer", "\"1\"")]
    [InlineData("integer", "true")]
    [InlineData("bigint", "9223372036854775808")]
    [InlineData("bigint", "1e999999999999999999999999")]
    [InlineData("numeric", "1e2000")]
    [InlineData("numeric", "1e-999999999")]
    [InlineData("numeric", "\"NaN\"")]
    [InlineData("real", "1e39")]
    [InlineData("real", "16777217")]
    [InlineData("double precision", "0.10000000000000000001")]
    [InlineData("double precision", "1e-400")]
    [InlineData("double precision", "1e309")]
    [InlineData("boolean", "\"true\"")]
    [InlineData("boolean", "1")]
    [InlineData("date", "\"2026-02-29\"")]
    [InlineData("date", "\"0000-01-01\"")]
    [InlineData("date", "\"10000-01-01\"")]
    [InlineData("date", "\"today\"")]
    [InlineData("date", "\"2026-01-01T00:00:00Z\"")]
    [InlineData("date", "20260101")]
    [InlineData("time", "\"24:00:00\"")]
    [InlineData("time", "\"23:59:59.9999999\"")]
    [InlineData("time", "\"12:00:00Z\"")]
    [InlineData("timestamp", "\"2026-01-01T00:00:00Z\"")]
    [InlineData("timestamp", "\"2026-01-01\"")]
    [InlineData("timestamp", "\"infinity\"")]
    [InlineData("timestamptz", "\"2026-01-01T00:00:00\"")]
    [InlineData("timestamptz", "\"2026-01-01T24:00:00Z\"")]
    [InlineData("timestamptz", "\"2026-01-01T23:59:60Z\"")]
    [InlineData("timestamptz", "\"2026-01-01T00:00:00+24:00\"")]
    [InlineData("timestamptz", "\"2026-01-01T00:00:00+01\"")]
    [InlineData("timestamptz", "\"0001-01-01T00:00:00+01:00\"")]
    [InlineData("timestamptz", "\"9999-12-31T23:59:59-01:00\"")]
    [InlineData("timestamptz", "\"9999-12-31T23:59:59.9999999Z\"")]
    [InlineData("timestamptz", "\"2026-13-01T00:00:00Z\"")]
    [InlineData("timestamptz", "\"-infinity\"")]
    [InlineData("timestamptz", "\"2026-01-01T00:00:00Z\\n\"")]
    [InlineData("timestamptz", "\"٢٠٢٦-01-01T00:00:00Z\"")]
    [InlineData("interval", "\"P\"")]
    [InlineData("interval", "\"PT\"")]
    [InlineData("interval", "\"P1DT\"")]
    [InlineData("interval", "\"-P1D\"")]
    [InlineData("interval", "\"P1H\"")]
    [InlineData("interval", "\"1 day\"")]
    [InlineData("interval", "\"P999999999Y\"")]
    [InlineData("interval", "\"P999999999W\"")]
    [InlineData("interval", "\"PT999999999H60M\"")]
    [InlineData("jsonb", "{\"a\":\"\\u0000\"}")]
    [InlineData("jsonb", "{\"\\u0000\":1}")]
    [InlineData("jsonb", "{\"a\":1,\"a\":2}")]
    [InlineData("jsonb", "[\"\\udc00\"]")]
    [InlineData("jsonb", "[1e99999]")]
    [InlineData("text[]", "\"a\"")]
    [InlineData("text[]", "[\"a\", null]")]
    [InlineData("text[]", "[[\"a\"]]")]
    [InlineData("bigint[]", "[\"1\"]")]
    public void What_does_not_fit_is_refused_at_its_field(string type, string given)
    {
        var bound = CriteriaBinder.Bind(DatasetOf(("v", type, true)), JsonElement.Parse($$"""{"v":{{given}}}"""));

        var error = Assert.Single(bound.Errors);
        Assert.Equal("criteria.v", error.Key);
        Assert.Matches(@"^(Must be|Is out of range) .*\.$", Assert.Single(error.Value));
    }

    [Fact]
    public void Parameters_come_in_the_order_of_the_definition_and_null_is_none()
    {
        var dataset = DatasetOf(("since", "date", false), ("status", "text", false), ("top", "integer", false));

        Assert.Equal(
            """{"since":"2026-01-01","top":1}""",
            CriteriaBinder.Bind(dataset, JsonElement.Parse("""{"top":1,"status":null,"since":"2026-01-01"}""")).Canonical
                .GetRawText());
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    public void No_criteria_are_an_empty_object(string given) =>
        Assert.Equal("{}", CriteriaBinder.Bind(DatasetOf(("v", "text", false)), JsonElement.Parse(given)).Canonical.GetRawText());

    [Fact]
    public void No_criteria_at_all_are_an_empty_object() =>
        Assert.Equal("{}", CriteriaBinder.Bind(DatasetOf(("v", "text", false)), null).Canonical.GetRawText());

    [Fact]
    public void Every_fault_is_named_at_once()
    {
        var dataset = DatasetOf(("since", "date", true), ("top", "integer", false));

        var bound = CriteriaBinder.Bind(dataset, JsonElement.Parse("""{"top":"x","Since":1,"top":2}"""));

        Assert.False(bound.IsValid);
        Assert.Equal(["criteria.Since", "criteria.since", "criteria.top"], bound.Errors.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("Is not known: the dataset has since, top.", Assert.Single(bound.Errors["criteria.Since"]));
        Assert.Equal("Is required (date).", Assert.Single(bound.Errors["criteria.since"]));
        Assert.Equal("Is given twice.", Assert.Single(bound.Errors["criteria.top"]));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("\"since\"")]
    [InlineData("1")]
    public void Criteria_are_an_object(string given) =>
        Assert.Equal("criteria", Assert.Single(CriteriaBinder.Bind(DatasetOf(), JsonElement.Parse(given)).Errors).Key);

    private static Dataset DatasetOf(params (string Name, string Type, bool Required)[] parameters) => new()
    {
        Name = "orders",
        Title = "Orders",
        Source = "sample",
        Key = "id",
        SchemaVersion = 1,
        Parameters = [.. parameters.Select(
            parameter => new Dataset.Parameter(parameter.Name, parameter.Type, parameter.Required))],
        Sql = SourceSql.Parse("select 1 as id"),
        LinkLifetime = TimeSpan.FromHours(1),
        Retention = TimeSpan.FromDays(7),
    };
}
