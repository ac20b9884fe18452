using System.Text;
using ClaimCheck.Records;
using ClaimCheck.Service.Sources;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.BulkJobs;

/// <summary>What Go, Java, Python and .NET write by themselves is, as text of an item, the value that they meant; a real server
/// says what it reads.</summary>
public sealed class Values_of_others
{
    private static readonly (string Type, string Written, string Meant)[] Values =
    [
        ("timestamptz", "2026-02-01T12:00:00.123456789Z", "2026-02-01 12:00:00.123457+00"), // Go, Java
        ("timestamptz", "2026-02-01 12:00:00.5 +0100 CET m=+0.000012", "2026-02-01 11:00:00.5+00"), // Go's String
        ("timestamptz", "2026-02-01 12:00:00 +0000 UTC", "2026-02-01 12:00:00+00"),
        ("timestamptz", "2026-02-01 12:00:00 -0300 -03", "2026-02-01 15:00:00+00"),
        ("timestamptz", "2026-02-01T12:00+01:00[Europe/Paris]", "2026-02-01 11:00:00+00"), // Java's ZonedDateTime
        ("timestamptz", "+10000-01-01T00:00:00Z", "10000-01-01 00:00:00+00"), // Java's Instant
        ("timestamptz", "-0043-03-15T00:00:00Z", "0044-03-15 00:00:00+00 BC"),
        ("timestamptz", "2026-02-01 12:00:00+00:00", "2026-02-01 12:00:00+00"), // Python
        ("timestamptz", "2026-02-01 12:00:00+00", "2026-02-01 12:00:00+00"),
        ("date", "-0043-03-15", "0044-03-15 BC"),
        ("date", "0000-02-29", "0001-02-29 BC"),
        ("time", "12:00", "12:00:00"), // Java's LocalTime
        ("time", "24:00", "24:00:00"),
        ("interval", "PT-1H-30M", "PT-1H-30M"), // Java's Duration
        ("interval", "-PT1H30.5S", "PT-1H-30.5S"), // .NET's XmlConvert
        ("interval", "-P1Y2M-3D", "P-1Y-2M3D"),
        ("interval", "-1h30m0s", "PT-1H-30M"), // Go: a server by itself reads half an hour less
        ("interval", "1m0.5s", "PT1M0.5S"),
        ("interval", "2µs", "PT0.000002S"),
        ("interval", "-1 day, 23:00:00", "P-1DT23H"), // Python
        ("interval", "-1.02:03:04.5", "P-1DT-2H-3M-4.5S"), // .NET: a server by itself reads 0.02 days
        ("interval", "-00:30:00", "PT-30M"),
        ("boolean", "True", "true"),
        ("double precision", "+Inf", "Infinity"),
        ("double precision", "nan", "NaN"),
        ("double precision", "1.0E10", "10000000000"),
        ("integer", "1.0", "1"),
        ("integer", "-1e3", "-1000"),
        ("uuid", "urn:uuid:0198c2f4-1111-7222-8333-444455556666", "0198c2f4-1111-7222-8333-444455556666"),
        ("uuid", "{0198C2F4-1111-7222-8333-444455556666}", "0198c2f4-1111-7222-8333-444455556666"),
        ("bytea", "AP8=", "\\x00ff"), // Go, Java's Jackson
        ("bytea", "\\x00FF", "\\x00ff"),
        ("integer[]", "[1,null,-3]", "{1,NULL,-3}"),
        ("text[]", """["a \"b\"","NULL",null]""", """{"a \"b\"","NULL",NULL}"""),
        ("interval[]", """["-1h30m0s",null]""", "{PT-1H-30M,NULL}"),
    ];

    [Fact]
    public async Task Are_read_as_they_were_meant()
    {
        await using var database = NpgsqlDataSource.Create(await PostgresServer.NewDatabaseAsync());
        await using var connection = await database.OpenConnectionAsync();
        var wrong = new StringBuilder();
        foreach (var (type, written, meant) in Values)
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(new(SessionPins.Block));
            batch.BatchCommands.Add(new($"SELECT $1::{type}::text")
            {
                Parameters = { new() { Value = PostgresText.OfText(PostgresType.Of(type), written) } },
            });
            try
            {
                if ((string?)await batch.ExecuteScalarAsync() is var read && read != meant)
                    wrong.AppendLine($"{type} {written}: {read}, not {meant}");
            }
            catch (PostgresException e)
            {
                wrong.AppendLine($"{type} {written}: {e.MessageText}");
            }
        }

        Assert.True(wrong.Length == 0, wrong.ToString());
    }

    [Theory]
    [InlineData("timestamptz", "now")]
    [InlineData("date", "Tomorrow")]
    [InlineData("bytea", "not base64!")]
    [InlineData("bytea", "abc")]
    [InlineData("integer[]", "1,2")]
    [InlineData("integer[]", "[1,2")]
    [InlineData("integer[]", "[{}]")]
    [InlineData("text", "a\0b")]
    public void That_can_t_be_of_their_type_are_refused(string type, string text) =>
        Assert.Throws<FormatException>(() => PostgresText.OfText(PostgresType.Of(type), text));

    [Theory]
    [InlineData("uuid", "{0198C2F4-1111-7222-8333-444455556666}", "0198c2f4-1111-7222-8333-444455556666")]
    [InlineData("numeric", "1.50", "15e-1")]
    [InlineData("bigint", "007", "7")]
    [InlineData("timestamptz", "2026-02-01 12:00:00+01", "2026-02-01T11:00:00Z")]
    [InlineData("interval", "P1D", "PT24H")]
    [InlineData("bpchar", "a  ", "a")]
    public void That_are_equal_to_the_target_are_one_key(string type, string one, string other) =>
        Assert.Equal(SameValue.Of(PostgresType.Of(type), one), SameValue.Of(PostgresType.Of(type), other));
}
