using System.Text;
using System.Text.Json;
using ClaimCheck.Consumer.Mapping;
using ClaimCheck.Contracts;
using ClaimCheck.Records.Blocks;
using ClaimCheck.Testing;

namespace ClaimCheck.Consumer.Tests.Mapping;

/// <summary>A typed value is what its text says, or it is refused; a time's fraction alone is rounded. Whatever a block holds,
/// reading it ends in one of the two.</summary>
[Trait("needs", "nothing")]
public sealed class Exact_values
{
    internal enum Mood
    {
        Calm,
        CALM,
        Happy,
        InProgress,

        [System.Text.Json.Serialization.JsonStringEnumMemberName("so 'so'")]
        SoSo,
    }

    [Theory]
    [InlineData(typeof(decimal), "1234567890123456789012345678.9012345678", null)] // 38 digits
    [InlineData(typeof(decimal), "0.1234567890123456789012345678901234", null)] // 34
    [InlineData(typeof(decimal), "7.9228162514264337593543950335", "7.9228162514264337593543950335")]
    [InlineData(typeof(decimal), "79228162514264337593543950335", "79228162514264337593543950335")]
    [InlineData(typeof(decimal), "79228162514264337593543950336", null)]
    [InlineData(typeof(decimal), "1.50000000000000000000000000000000000", "1.5000000000000000000000000000")]
    [InlineData(typeof(decimal), "0.00000000000000000000000000001", null)]
    [InlineData(typeof(decimal), "1e-30", null)]
    [InlineData(typeof(decimal), "1.5e3", "1500")]
    [InlineData(typeof(decimal), "-0", "0")]
    [InlineData(typeof(decimal), "1,000", null)]
    [InlineData(typeof(decimal), "NaN", null)]
    [InlineData(typeof(decimal), " 1", null)]
    [InlineData(typeof(double), "0.1", "0.1")]
    [InlineData(typeof(double), "0.10", "0.1")]
    [InlineData(typeof(double), "0.30000000000000004", "0.30000000000000004")]
    [InlineData(typeof(double), "0.12345678901234567891", null)] // 20 digits
    [InlineData(typeof(double), "9007199254740993", null)] // 2^53 + 1
    [InlineData(typeof(double), "1152921504606846976", "1.152921504606847E+18")] // 2^60
    [InlineData(typeof(double), "5e-324", "5E-324")]
    [InlineData(typeof(double), "1.7976931348623157e+308", "1.7976931348623157E+308")]
    [InlineData(typeof(double), "1e309", null)]
    [InlineData(typeof(double), "1e-400", null)]
    [InlineData(typeof(double), "-0", "-0")]
    [InlineData(typeof(double), "-Infinity", "-Infinity")]
    [InlineData(typeof(double), "infinity", "Infinity")]
    [InlineData(typeof(double), "+Inf", "Infinity")] // Go
    [InlineData(typeof(float), "nan", "NaN")] // Python
    [InlineData(typeof(double), "1,5", null)]
    [InlineData(typeof(double), "1 ", null)]
    [InlineData(typeof(float), "0.1", "0.1")]
    [InlineData(typeof(float), "16777217", null)] // 2^24 + 1
    [InlineData(typeof(float), "16777216", "16777216")]
    [InlineData(typeof(float), "0.123456789", null)]
    [InlineData(typeof(float), "3.4028235e+38", "3.4028235E+38")]
    [InlineData(typeof(float), "1e39", null)]
    [InlineData(typeof(Half), "0.1", "0.1")]
    [InlineData(typeof(Half), "2049", null)]
    [InlineData(typeof(long), "9223372036854775807", "9223372036854775807")]
    [InlineData(typeof(long), "9223372036854775808", null)]
    [InlineData(typeof(long), "1e3", null)]
    [InlineData(typeof(long), "1.5", null)]
    [InlineData(typeof(int), "2147483648", null)]
    [InlineData(typeof(int), "1.0", null)]
    [InlineData(typeof(byte), "256", null)]
    [InlineData(typeof(byte), " 1", null)]
    [InlineData(typeof(uint), "-1", null)]
    [InlineData(typeof(bool), "yes", "True")]
    [InlineData(typeof(bool), "0", "False")]
    [InlineData(typeof(bool), "True", "True")] // Python
    [InlineData(typeof(bool), "o", null)]
    [InlineData(typeof(bool), "truest", null)]
    [InlineData(typeof(DateTime), "2026-01-31 12:00:00.1234567", "2026-01-31T12:00:00.1234567")]
    [InlineData(typeof(DateTime), "2026-01-31 12:00:00.12345678", "2026-01-31T12:00:00.1234568")]
    [InlineData(typeof(DateTime), "2026-01-31 24:00:00", "2026-02-01T00:00:00")]
    [InlineData(typeof(DateTime), "9999-12-31 23:59:59.99999999", null)]
    [InlineData(typeof(DateTime), "2026-01-31T12:00", "2026-01-31T12:00:00")] // Java
    [InlineData(typeof(DateTime), "2026-02-29 12:00:00", null)]
    [InlineData(typeof(DateTime), "10000-01-01 00:00:00", null)]
    [InlineData(typeof(DateTime), "2026-01-31 12:00:00.12345670", "2026-01-31T12:00:00.1234567")]
    [InlineData(typeof(DateTimeOffset), "2026-01-31 12:00:00.123456789+00", "2026-01-31T12:00:00.1234568+00:00")]
    [InlineData(typeof(DateTimeOffset), "2026-01-31 12:00:00.5 +0100 CET m=+0.000012", "2026-01-31T12:00:00.5000000+01:00")] // Go
    [InlineData(typeof(DateTimeOffset), "2026-01-31T12:00+01:00[Europe/Paris]", "2026-01-31T12:00:00.0000000+01:00")] // Java
    [InlineData(typeof(DateTimeOffset), "2026-01-31 12:00:00.250000+05:30", "2026-01-31T12:00:00.2500000+05:30")] // Python
    [InlineData(typeof(DateTimeOffset), "2026-01-31 12:00:00+25", null)]
    [InlineData(typeof(DateTimeOffset), "infinity", null)]
    [InlineData(typeof(DateTimeOffset), "2026-01-31 12:00:00+14", "2026-01-31T12:00:00.0000000+14:00")]
    [InlineData(typeof(DateTimeOffset), "0001-01-01 00:00:00+05", null)]
    [InlineData(typeof(DateTimeOffset), "1890-01-01 00:19:32+00:19:32", "1890-01-01T00:00:00.0000000+00:00")]
    [InlineData(typeof(DateOnly), "2026-01-31 12:00:00", null)]
    [InlineData(typeof(DateOnly), "0044-03-15 BC", null)]
    [InlineData(typeof(TimeOnly), "12:00:00.00000001", "12:00")]
    [InlineData(typeof(TimeOnly), "12:00", "12:00")] // Java
    [InlineData(typeof(TimeOnly), "12:00:00+02", null)]
    [InlineData(typeof(TimeOnly), "24:00:00", null)]
    [InlineData(typeof(TimeSpan), "24:00:00", "1.00:00:00")]
    [InlineData(typeof(TimeSpan), "P1DT2H3M4.5S", "1.02:03:04.5000000")]
    [InlineData(typeof(TimeSpan), "PT-1H-30M", "-01:30:00")] // Java
    [InlineData(typeof(TimeSpan), "-PT1H", "-01:00:00")]
    [InlineData(typeof(TimeSpan), "-1 day, 23:00:00", "-01:00:00")] // Python
    [InlineData(typeof(TimeSpan), "-1h30m0.5s", "-01:30:00.5000000")] // Go
    [InlineData(typeof(TimeSpan), "1.5µs", "00:00:00.0000015")]
    [InlineData(typeof(TimeSpan), "-1.02:03:04", "-1.02:03:04")] // .NET
    [InlineData(typeof(TimeSpan), "1 day -00:30:00", "23:30:00")]
    [InlineData(typeof(TimeSpan), "P1M", null)]
    [InlineData(typeof(TimeSpan), "P", null)]
    [InlineData(typeof(TimeSpan), "PT2562047788H", null)]
    [InlineData(typeof(Guid), "0198c2f4111172228333444455556666", "0198c2f4-1111-7222-8333-444455556666")]
    [InlineData(typeof(Guid), "{0198C2F4-1111-7222-8333-444455556666}", "0198c2f4-1111-7222-8333-444455556666")]
    [InlineData(typeof(Guid), "urn:uuid:0198c2f4-1111-7222-8333-444455556666", "0198c2f4-1111-7222-8333-444455556666")] // Python
    [InlineData(typeof(Guid), "0198c2f4--11117222-8333-444455556666", null)]
    [InlineData(typeof(Mood), "CALM", "CALM")]
    [InlineData(typeof(Mood), "calm", null)] // Calm or CALM
    [InlineData(typeof(Mood), "in_progress", "InProgress")]
    [InlineData(typeof(Mood), "In-Progress", "InProgress")]
    [InlineData(typeof(Mood), "so 'so'", "SoSo")]
    [InlineData(typeof(Mood), "happy", "Happy")]
    [InlineData(typeof(Mood), "Calm,Happy", null)]
    [InlineData(typeof(Mood), " 2", null)]
    [InlineData(typeof(Mood), "2", null)]
    [InlineData(typeof(Mood), " Happy", null)]
    public void A_text_is_read_as_what_it_says_or_refused(Type type, string text, string? expected)
    {
        foreach (var format in (string[])["csv", "ndjson"])
        {
            var read = Read(type, format, Encoding.UTF8.GetBytes(text));
            Assert.True(expected == Written(read), $"{text} is read as {Written(read) ?? "nothing"} from {format}.");
        }
    }

    [Fact]
    public void Numbers_of_JSON_are_read_like_texts()
    {
        var rows = new JsonRows([new("n", "numeric", true)], RecordErrors.OfRows);
        foreach (var (json, type, expected) in ((string, Type, string?)[])
            [
                ("0.1234567890123456789012345678901234", typeof(decimal), null), ("12.50", typeof(decimal), "12.50"),
                ("1E2", typeof(double), "100"),
                ("9007199254740993", typeof(double), null), ("9007199254740993", typeof(long), "9007199254740993"),
                ("1e3", typeof(int), null), ("1\\u0000", typeof(int), null),
                ("\"1\\u0000\"", typeof(int), null), ("\"1\\u0000\"", typeof(double), null),
                ("\"1\\u0000\"", typeof(decimal), null),
            ])
        {
            var line = Encoding.UTF8.GetBytes($"{{\"n\":{json}}}\n");
            rows.Load(line, line.Length, "f", 0);
            if (json.StartsWith('1') && json.Contains('\\', StringComparison.Ordinal))
            {
                Assert.Throws<IntegrityException>(() => rows.Next());
                continue;
            }

            Assert.True(rows.Next());
            Assert.Equal(expected, Written(Read(type, rows)));
        }
    }

    [Fact]
    public async Task Random_blocks_are_read_or_refused()
    {
        var hostile = new HostileText(20260204);
        Type[] types = [typeof(string), typeof(long), typeof(decimal), typeof(double), typeof(bool), typeof(DateTimeOffset),
            typeof(DateTime), typeof(DateOnly), typeof(TimeOnly), typeof(Guid), typeof(JsonElement), typeof(Mood), typeof(float)];
        Column[] columns = [new("id", "text", true), new("raw", "bytea", true)];
        await HostileText.EndsAsync(() =>
        {
            for (var round = 0; round < 3000; round++)
            {
                var isCsv = round % 2 == 0;
                Rows rows = isCsv ? new CsvRows(columns, RecordErrors.OfRows) : new JsonRows(columns, RecordErrors.OfRows);
                var block = isCsv
                    ? hostile.Of("1.5,\\x00\n2026-01-31 12:00:00+00,\n", "\"a \"\"b\"\"\",\"\"\n", "{},\\xff\n,\n")
                    : hostile.Of("{\"id\":1.5,\"raw\":\"AA==\"}\n{\"id\":null,\"raw\":null}\n",
                        "{\"id\":\"a\\\"\\u00e9\",\"raw\":\"\"}\n", "{\"id\":[{}],\"raw\":true}\n");
                rows.Load(block, block.Length, "f", 0);
                try
                {
                    while (rows.Next())
                    {
                        Read(types[hostile.Random.Next(types.Length)], rows);
                        Read(typeof(byte[]), rows, 1);
                    }
                }
                catch (IntegrityException)
                {
                }
            }
        });
    }

    private static object? Read(Type type, string format, byte[] text)
    {
        Column[] columns = [new("v", "text", true)];
        var line = format == "csv"
            ? [.. "\""u8, .. text, .. "\"\n"u8]
            : Encoding.UTF8.GetBytes($"{{\"v\":{JsonSerializer.Serialize(Encoding.UTF8.GetString(text))}}}\n");
        Rows rows = format == "csv" ? new CsvRows(columns, RecordErrors.OfRows) : new JsonRows(columns, RecordErrors.OfRows);
        rows.Load(line, line.Length, "f", 0);
        Assert.True(rows.Next());
        return Read(type, rows);
    }

    // Null where it is refused, in the one way that is declared.
    private static object? Read(Type type, Rows rows, int slot = 0)
    {
        if (rows.IsNull(slot))
            return null;
        var reader = FieldExpression.Reader(type, rows.Columns[slot], "tested");
        try
        {
            return reader.GetType().GetMethod("Read")!.Invoke(reader, [rows, slot]);
        }
        catch (System.Reflection.TargetInvocationException e) when (e.InnerException is RecordMismatchException)
        {
            return null;
        }
    }

    private static string? Written(object? value) => value switch
    {
        DateTime time => time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", System.Globalization.CultureInfo.InvariantCulture),
        DateTimeOffset time => time.ToString("O", System.Globalization.CultureInfo.InvariantCulture),
        IFormattable formattable => formattable.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => value?.ToString(),
    };
}
