using System.Text.Json;
using System.Text.Json.Serialization;
using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Tests.Mapping;

public class Typed_records
{
    private static readonly Column[] Columns =
    [
        new("id", "bigint", false), new("small_number", "smallint", true), new("ratio", "double precision", true),
        new("price", "numeric", true), new("is_open", "boolean", true), new("at", "timestamp with time zone", true),
        new("local", "timestamp without time zone", true), new("day", "date", true), new("clock", "time without time zone", true),
        new("uid", "uuid", true), new("raw", "bytea", true), new("doc", "jsonb", true), new("mood", "text", true),
    ];

    internal enum Mood
    {
        Calm,
        VeryHappy,
    }

    internal sealed record Everything(
        long Id, short? SmallNumber, double? Ratio, decimal? Price, bool? IsOpen, DateTimeOffset? At, DateTime? Local,
        DateOnly? Day,
        TimeOnly? Clock, Guid? Uid, byte[]? Raw, JsonElement? Doc, Mood? Mood);

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task Every_type_is_read_alike_from_both_formats(string format)
    {
        string?[] row = format == "csv"
            ? ["1", "-7", "-Infinity", "12.50", "t", "2026-01-02 03:04:05.123456+05:30", "2026-01-02 03:04:05.5", "2026-02-28",
                "23:59:59.999999",
                "0198c2f4-1111-7222-8333-444455556666", "\\xdeadbeef", """{"a": [1, "x\"y"]}""", "veryhappy"]
            : ["1", "-7", "-Infinity", "12.50", "true", "2026-01-01T21:34:05.123456Z", "2026-01-02T03:04:05.5", "2026-02-28",
                "23:59:59.999999",
                "0198c2f4-1111-7222-8333-444455556666", "3q2+7w==", """{"a": [1, "x\"y"]}""", "veryhappy"];

        var read = Assert.Single(await ReadAsync<Everything>(format, Columns, row));

        Assert.Equal(
            (1L, (short)-7, double.NegativeInfinity, 12.50m, true),
            (read.Id, read.SmallNumber, read.Ratio, read.Price, read.IsOpen));
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 21, 34, 5, TimeSpan.Zero).AddMicroseconds(123456), read.At);
        Assert.Equal(
            (new DateTime(2026, 1, 2, 3, 4, 5, 500), DateTimeKind.Unspecified), (read.Local!.Value, read.Local.Value.Kind));
        Assert.Equal(
            (new DateOnly(2026, 2, 28), new TimeOnly(23, 59, 59).Add(TimeSpan.FromMicroseconds(999999))), (read.Day, read.Clock));
        Assert.Equal(Guid.Parse(row[9]!), read.Uid);
        Assert.Equal([0xde, 0xad, 0xbe, 0xef], read.Raw!);
        Assert.Equal("x\"y", read.Doc!.Value.GetProperty("a")[1].GetString());
        Assert.Equal(Mood.VeryHappy, read.Mood);
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task Null_is_told_from_the_empty_text(string format)
    {
        Column[] columns = [new("id", "bigint", false), new("name", "text", true)];

        var read = await ReadAsync<Named>(format, columns, ["1", null], ["2", ""], ["3", "null"]);

        Assert.Equal([null, "", "null"], read.Select(each => each.Name));
    }

    internal sealed record Named(long Id, string? Name);

    internal sealed record Unnamed(long Id, string Name);

    [Fact]
    public async Task A_null_for_a_member_that_takes_none_names_the_column_and_the_record()
    {
        Column[] columns = [new("id", "bigint", false), new("name", "text", true)];

        var failure = await Assert.ThrowsAsync<RecordMismatchException>(
            () => ReadAsync<Unnamed>("csv", columns, ["1", "a"], ["2", null]));

        Assert.Contains(
            "Column name is NULL in record 2 of block 0 of part-00001.csv.gz", failure.Message, StringComparison.Ordinal);
    }

    internal sealed record Narrow(short Id);

    [Theory]
    [InlineData("70000")]
    [InlineData("12x")]
    [InlineData("")]
    public async Task A_value_that_does_not_fit_names_the_column_and_not_the_value(string value)
    {
        var failure = await Assert.ThrowsAsync<RecordMismatchException>(
            () => ReadAsync<Narrow>("csv", [new("id", "text", false)], [value]));

        Assert.Contains("column id (text)", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("70000", failure.ToString(), StringComparison.Ordinal);
    }

    internal sealed record Stranger(long Id, string Surname);

    [Fact]
    public async Task A_member_without_a_column_is_said_before_any_record_also_of_an_empty_batch()
    {
        var failure = await Assert.ThrowsAsync<RecordMismatchException>(
            () => ReadAsync<Stranger>("csv", [new("id", "bigint", false)]));

        Assert.Contains("Stranger.Surname has no column: the batch has id.", failure.Message, StringComparison.Ordinal);
    }

    internal sealed class Settable
    {
        public required long Id { get; init; }

        [JsonPropertyName("customer_name")]
        public string? Who { get; set; }

        public int Seen { get; set; } = 7;
    }

    [Fact]
    public async Task Properties_are_set_by_name_and_those_without_a_column_keep_their_default()
    {
        Column[] columns = [new("id", "bigint", false), new("customer_name", "text", true), new("unused", "text", true)];

        var read = Assert.Single(await ReadAsync<Settable>("csv", columns, ["5", "Ann", "x"]));

        Assert.Equal((5L, "Ann", 7), (read.Id, read.Who, read.Seen));
    }

    [Theory]
    [InlineData("infinity")]
    [InlineData("2026-02-30 00:00:00+00")]
    [InlineData("0044-03-15 12:00:00+00 BC")]
    [InlineData("12026-01-01 00:00:00+00")]
    public async Task A_time_that_dotnet_does_not_have_is_refused_and_can_be_read_as_text(string time)
    {
        Column[] columns = [new("at", "timestamp with time zone", false)];

        await Assert.ThrowsAsync<RecordMismatchException>(() => ReadAsync<Timed>("csv", columns, [time]));
        Assert.Equal(time, Assert.Single(await ReadAsync<TimedText>("csv", columns, [time])).At);
    }

    internal sealed record Timed(DateTimeOffset At);

    internal sealed record TimedText(string At);

    [Fact]
    public async Task A_raw_record_gives_fields_by_name_and_place_until_the_next_one()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(3));
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());
        Record? first = null;

        await foreach (var record in reader.ReadRecordsAsync(server.Batch.BatchId))
        {
            if (first is null)
            {
                first = record;
                Assert.Equal(("1", "1", "", 1.25m), (record.Key, record["id"], record.GetText(1), record.Get<decimal>("total")));
                Assert.False(record.IsNull("customer_name"));
                Assert.Throws<RecordMismatchException>(() => record["nothing"]);
                continue;
            }
            break;
        }

        Assert.Throws<InvalidOperationException>(() => first!.Value["id"]);
    }

    private static async Task<List<T>> ReadAsync<T>(string format, Column[] columns, params string?[][] rows)
    {
        await using var server = await StagingServer.StartAsync(
            new StagedTestBatch { Columns = columns, Rows = rows, Format = format });
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());
        return await reader.ReadAsync<T>(server.Batch.BatchId).ToListAsync();
    }
}
