using System.IO.Compression;
using System.Text;
using ClaimCheck.Benchmarks;

namespace ClaimCheck.Service.Tests.Measuring;

/// <summary>The bench compares every output with its table.</summary>
[Trait("needs", "nothing")]
public sealed class Outputs_in_the_bench
{
    private const string First = "1,customer 1,paid,79.19,EUR,\"two\nlines, \"\"quoted\"\"\",2024-07-01 00:00:12+00\n";
    private const string Second = "2,customer 2,new,80.00,USD,,2024-07-01 00:00:24+00\n";

    [Theory]
    [InlineData(First, Second)]
    [InlineData(Second, First)]
    [InlineData("id,customer,status,amount,currency,note,created_at\n" + First,
        "id,customer,status,amount,currency,note,created_at\n" + Second)]
    [InlineData("1,customer 1,paid,79.19,EUR,\"two\nlines, \"\"quoted\"\"\",2024-07-01T00:00:12.0000000Z\r\n", Second)]
    public async Task Are_the_same_in_any_order_with_or_without_a_header(string one, string other) =>
        Assert.Equal(one.Length + other.Length, await Check().CompareAsync("csv", [Packed(one), Packed(other)], "csv", true));

    [Fact]
    public async Task Are_the_same_as_json()
    {
        const string json = """
            {"id":2,"customer":"customer 2","status":"new","amount":80.00,"currency":"USD","note":null,"created_at":"2024-07-01T00:00:24+00:00"}
            {"id":1,"customer":"customer 1","status":"paid","amount":79.19,"currency":"EUR","note":"two\nlines, \"quoted\"","created_at":"2024-07-01T00:00:12Z"}

            """;

        Assert.Equal(json.Length, await Check().CompareAsync("json", [Packed(json)], "ndjson", true));
    }

    [Theory]
    [InlineData(First)]
    [InlineData(First + First)]
    [InlineData(First + Second + Second)]
    [InlineData(First + "2,customer 2,new,80.01,USD,,2024-07-01 00:00:24+00\n")]
    [InlineData(First + "2,customer 2,new,80.00,USD,\"\",2024-07-01 00:00:24+00\n")]
    [InlineData(First + "2,customer 2,new,80.00,USD,2024-07-01 00:00:24+00\n")]
    public Task That_differ_from_the_table_end_the_bench(string output) =>
        Assert.ThrowsAsync<BenchException>(() => Check().CompareAsync("csv", [Packed(output)], "csv", true));

    [Fact]
    public async Task Of_writers_that_lose_null_are_compared_without_it()
    {
        const string empty = First + "2,customer 2,new,80.00,USD,\"\",2024-07-01 00:00:24+00\n";

        Assert.Equal(empty.Length, await Check().CompareAsync("csv", [Packed(empty)], "csv", true, nullIsEmpty: true));
    }

    private static OutputCheck Check() => new(2, Sum(nullIsEmpty: false), Sum(nullIsEmpty: true));

    private static string Sum(bool nullIsEmpty)
    {
        var sum = new RowSum(nullIsEmpty);
        string?[][] rows =
        [
            ["1", "customer 1", "paid", "79.19", "EUR", "two\nlines, \"quoted\"", "2024-07-01 00:00:12Z"],
            ["2", "customer 2", "new", "80.00", "USD", null, "2024-07-01 00:00:24Z"],
        ];
        foreach (var row in rows)
        {
            foreach (var value in row)
                sum.Field(Encoding.UTF8.GetBytes(value ?? ""), value is null);
            sum.EndRow();
        }

        return sum.Sum.ToString();
    }

    private static Func<Task<Stream>> Packed(string text)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return () => Task.FromResult<Stream>(new MemoryStream(packed.ToArray()));
    }
}
