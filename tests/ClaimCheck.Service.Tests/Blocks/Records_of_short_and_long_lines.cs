using System.Text;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.Sources;

namespace ClaimCheck.Service.Tests.Blocks;

/// <summary>Records of short lines are written 32 bytes at a time, others value by value.</summary>
[Trait("needs", "nothing")]
public sealed class Records_of_short_and_long_lines
{
    // With so small a limit each record is written value by value.
    private const int TooSmallForShort = 40_000;

    private static readonly (string Type, string[] Values)[] Columns =
    [
        ("bigint", ["0", "7", "-9223372036854775808"]),
        ("text", ["", @"\N", "plain", @"a\tb", @"\\N", "say \"so\"", "\u001f", "é€😀", .. Lengths('x'), .. Lengths('é'),
            .. Lengths('"')]),
        ("numeric", ["1.50", "NaN", "Infinity", @"\N", "1e5", .. Lengths('1')]),
        ("boolean", ["t", "f", @"\N"]),
        ("date", ["2026-01-31", "infinity", "0044-03-15 BC", @"\N"]),
        ("timestamp without time zone", ["2026-01-31 12:34:56", "2026-01-31 12:34:56.789", "12026-01-31 12:34:56",
            "-infinity", @"\N"]),
        ("timestamp with time zone", ["2026-01-31 12:34:56+00", "2026-01-31 12:34:56.789012+00",
            "0044-03-15 00:00:00+00 BC", @"\N"]),
        ("interval", ["P1Y2M", "PT0.5S", @"\N"]),
        ("jsonb", ["{\"a\": [1, 2]}", "\"x\"", @"\N"]),
        ("bytea", [@"\\x", @"\\xdeadbeef", @"\N"]),
        ("integer[]", ["{1,2,NULL}", "{}", @"\N"]),
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Are_the_same(int seed)
    {
        var random = new Random(seed);
        var lines = new StringBuilder();
        for (var record = 0; record < 2_000; record++)
            lines.AppendJoin('\t', Columns.Select(column => column.Values[random.Next(column.Values.Length)])).Append('\n');
        var bytes = Encoding.UTF8.GetBytes(lines.ToString());
        var expected = Write(bytes, bytes.Length, TooSmallForShort);
        Assert.Equal(2_000, expected.Count(character => character == '\n'));
        foreach (var portion in (int[])[bytes.Length, 1_000, 77])
            Assert.Equal(expected, Write(bytes, portion, OversizedRecord.Largest));
    }

    [Theory]
    [InlineData("1\tx\n")]
    [InlineData("1\tx\t1\tt\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t1\n")]
    [InlineData("1\tx\t1,5\tt\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\n")]
    [InlineData("1\tx\t1\ttrue\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\n")]
    [InlineData("1\tx\t1\tt\t\\N\t2026-01-31\t\\N\t\\N\t\\N\t\\N\t\\N\n")]
    [InlineData("1\tx\t1\tt\t\\N\t\\N\t2026-01-31 12:34:56+01\t\\N\t\\N\t\\N\t\\N\n")]
    [InlineData("\\N\tx\t1\tt\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\n")]
    public void Are_refused_with_the_same_words(string line)
    {
        var good = Encoding.UTF8.GetBytes("1\tx\t1\tt" + string.Concat(Enumerable.Repeat("\t\\N", 7)) + '\n');
        byte[] bytes = [.. good, .. Encoding.UTF8.GetBytes(line)];
        var expected = Assert.Throws<SourceException>(() => Write(bytes, bytes.Length, TooSmallForShort));
        var actual = Assert.Throws<SourceException>(() => Write(bytes, bytes.Length, OversizedRecord.Largest));
        Assert.Equal((expected.Code, expected.Message), (actual.Code, actual.Message));
        Assert.Contains("2", actual.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Lengths(char character) =>
        ((int[])[15, 16, 30, 31, 32, 33, 63, 64, 65, 200]).Select(length => new string(character, length));

    private static string Write(byte[] bytes, int portion, int largestRecord)
    {
        var blocks = new BlockBuilder(new BlockBuffers(), 64 << 10) { LargestRecord = largestRecord };
        var keys = new KeyCheck(0, isOrdered: false);
        var format = new NdjsonFormat(
            [.. Columns.Select((column, at) => new ResultColumn($"c{at}", column.Type, true, ColumnTypes.Of(column.Type)))],
            blocks, keys, CancellationToken.None);
        var written = new StringBuilder();
        foreach (var part in bytes.Chunk(portion))
        {
            for (var at = 0; at < part.Length;)
            {
                var space = format.Space().Span;
                var count = Math.Min(space.Length, part.Length - at);
                part.AsSpan(at, count).CopyTo(space);
                at += count;
                format.Accept(count);
            }
        }

        format.EndCopy();
        format.Finish();
        while (blocks.Ready.TryDequeue(out var block))
            written.Append(Encoding.UTF8.GetString(block.Bytes));
        return written.ToString();
    }
}
