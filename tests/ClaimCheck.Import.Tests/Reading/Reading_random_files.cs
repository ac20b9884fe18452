using System.Text.Json;
using ClaimCheck.Import.Mapping;
using ClaimCheck.Records;
using ClaimCheck.Records.Files;
using ClaimCheck.Testing;

namespace ClaimCheck.Import.Tests.Reading;

/// <summary>Whatever a file holds: a record is taken, or it is at fault, or the file is; reading it comes to an end.</summary>
[Trait("needs", "nothing")]
public sealed class Reading_random_files
{
    [Fact]
    public async Task Records_are_taken_or_refused()
    {
        var hostile = new HostileText(20260209);
        var reading = Task.Run(async () =>
        {
            for (var round = 0; round < 2000; round++)
            {
                var isCsv = round % 2 == 0;
                var file = isCsv
                    ? hostile.Of(
                        "id,at,note\n1,2026-01-31T00:00:00Z,\"a \"\"b\"\"\"\r\n2,,\n",
                        "\uFEFFid,at,note\n\"1\n2\",true,{\"a\":1}")
                    : hostile.Of(
                        "{\"id\":1,\"at\":\"2026-01-31T00:00:00.123Z\",\"note\":\"\\u00e9\"}\n\n{\"id\":1.5e3,\"note\":[1]}\n",
                        "\uFEFF{\"note\":true}");
                try
                {
                    await ReadAsync(isCsv ? new CsvRecordFormat((byte)',') : new NdjsonRecordFormat(), file);
                }
                catch (RecordFileException)
                {
                }
            }
        });

        await reading.WaitAsync(TimeSpan.FromMinutes(2));
    }

    [Theory]
    [InlineData("boolean", "tré")] // begins like one
    [InlineData("boolean", "1\u00A0")]
    [InlineData("uuid", "+198c2f4-1111-7222-8333-444455556666")]
    [InlineData("timestamptz", "2026-01-31T00:00:00")]
    [InlineData("timestamptz", "2026-02-29T00:00:00Z")]
    [InlineData("date", "2026-01-31T00:00:00Z")]
    [InlineData("integer", "1.0")]
    [InlineData("integer", "9223372036854775808")]
    [InlineData("integer", "1e3")]
    public void A_value_that_is_almost_of_its_type_is_not(string type, string text)
    {
        Assert.True(FieldType.TryParse(type, out var field));
        Assert.False(field.IsValid(text));
    }

    [Fact]
    public void A_record_that_is_nested_too_deep_is_said_to_be_so()
    {
        var format = new NdjsonRecordFormat();
        Assert.Null(format.Take(Nested(JsonDepth.OfRecords - 1)));
        Assert.Equal(
            ("nested_too_deep", "The record is nested deeper than 16000 levels, which is the limit."),
            format.Take(Nested(JsonDepth.OfRecords)) is var fault ? (fault!.Code, fault.Message) : default);

        static byte[] Nested(int levels) =>
            System.Text.Encoding.UTF8.GetBytes($$"""{"a":{{new string('[', levels)}}{{new string(']', levels)}}}""");
    }

    private static async Task ReadAsync(RecordFormat format, byte[] file)
    {
        var reader = new RecordReader(new MemoryStream(file), format, 100);
        if (format is CsvRecordFormat csv)
        {
            if (!await reader.ReadAsync(CancellationToken.None) || reader.IsTooLong)
                return;
            csv.TakeHeader(reader.Record.ToArray());
        }

        var places = new[] { format.Find("id"), format.Find("at"), format.Find("note") };
        while (await reader.ReadAsync(CancellationToken.None))
        {
            // Files are looked through for bytes that are no UTF-8 before anything is made of them.
            if (reader.IsTooLong || !System.Text.Unicode.Utf8.IsValid(reader.Record.Span)
                || format.Take(reader.Record) is not null)
                continue;
            foreach (var place in places.Where(place => place >= 0))
            {
                foreach (var type in FieldType.Names)
                    Write(type, format.Get(place));
            }

            using var json = new Utf8JsonWriter(Stream.Null);
            format.WriteSource(json, reader.Record);
        }
    }

    private static void Write(string type, SourceValue value)
    {
        using var json = new Utf8JsonWriter(Stream.Null);
        if (value.Kind != ValueKind.Null && FieldType.TryParse(type, out var field))
            field.TryWrite(json, value);
    }
}
