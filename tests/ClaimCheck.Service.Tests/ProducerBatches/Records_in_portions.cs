using System.Text;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.ProducerBatches;
using ClaimCheck.Service.Sources;

namespace ClaimCheck.Service.Tests.ProducerBatches;

[Trait("needs", "nothing")]
public sealed class Records_in_portions
{
    private static readonly Column[] Columns = [new("id", "bigint", false), new("a \"name\", quoted", "text", true)];

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public void However_the_bytes_come_the_records_are_the_same(string format)
    {
        var random = new Random(11);
        for (var round = 0; round < 200; round++)
        {
            var records = Enumerable.Range(1, random.Next(0, 60)).Select(id => Record(format, id, random)).ToList();
            var ending = random.Next(2) == 0 ? "\n" : "\r\n";
            var header = format == "csv" ? "id,\"a \"\"name\"\", quoted\"" + ending : "";
            var text = (random.Next(2) == 0 ? "\uFEFF" : "") + header + string.Concat(records.Select(record => record + ending));
            if (records.Count > 0 && random.Next(2) == 0)
                text = text[..^ending.Length];

            var (taken, count) = Take(format, Encoding.UTF8.GetBytes(text), records.Count, random);

            Assert.Equal(string.Concat(records.Select(record => record + "\n")), taken);
            Assert.Equal(records.Count, count);
        }
    }

    [Fact]
    public void A_file_that_does_not_end_is_given_up_at_the_limit()
    {
        var blocks = Blocks();
        var records = new ProducerCsv(Columns, "id", blocks, largestRecord: 100_000);
        records.BeginFile(File(1));
        var failure = Assert.Throws<SourceException>(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                var space = records.Space()[..1000];
                space.Span.Fill((byte)'x');
                records.Accept(space.Length);
            }
        });
        Assert.Equal("upload_record_too_large", failure.Code);
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task A_large_record_waits_for_its_turn_and_leaves_it_with_its_block(string format)
    {
        var buffers = new BlockBuffers();
        var blocks = new BlockBuilder(buffers, BlockBuilder.FullBlock) { HasLargeTurns = true };
        ProducerRecords records = format == "csv"
            ? new ProducerCsv([new("id", "bigint", false), new("note", "text", true)], "id", blocks, 16 << 20)
            : new ProducerNdjson([new("id", "bigint", false), new("note", "text", true)], "id", blocks, 16 << 20);
        string[] lines = [.. new[] { 10, 1_000_000, 5 << 20, 10, 2 << 20, 10 }.Select((size, id) =>
            format == "csv" ? $"{id},{new string('x', size)}" : $"{{\"id\":{id},\"note\":\"{new string('x', size)}\"}}")];
        var content = Encoding.UTF8.GetBytes(
            (format == "csv" ? "id,note\n" : "") + string.Concat(lines.Select(line => line + '\n')));
        var (turns, taken) = (0, new StringBuilder());
        records.BeginFile(File(lines.Length));
        for (var at = 0; at < content.Length;)
        {
            var space = records.Space();
            var portion = Math.Min(content.Length - at, space.Length);
            content.AsSpan(at, portion).CopyTo(space.Span);
            at += portion;
            records.Accept(portion);
            Store();
            if (!records.WantsLargeTurn)
                continue;
            turns++;
            blocks.LargeTurn = await buffers.LargeTurnAsync(CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));
        }

        records.EndFile();
        blocks.Finish();
        Store();
        blocks.Release();

        Assert.Equal(2, turns);
        Assert.True(taken.ToString() == string.Concat(lines.Select(line => line + '\n')));
        (await buffers.LargeTurnAsync(CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1))).Dispose();

        void Store()
        {
            while (blocks.Ready.TryDequeue(out var block))
            {
                taken.Append(Encoding.UTF8.GetString(block.Bytes));
                buffers.Return(block.Buffer);
                block.LargeTurn?.Dispose();
            }
        }
    }

    private static (string Text, long Records) Take(string format, byte[] bytes, int count, Random random)
    {
        var blocks = Blocks();
        ProducerRecords records = format == "csv"
            ? new ProducerCsv(Columns, "id", blocks, 1 << 20)
            : new ProducerNdjson(Columns, "id", blocks, 1 << 20);
        // A file before it, so that nothing of one is left for the next.
        foreach (var (file, content) in ((ProducerFile, byte[])[])[(File(count), bytes), (File(count), bytes)])
        {
            records.BeginFile(file);
            for (var at = 0; at < content.Length;)
            {
                var space = records.Space().Span;
                var portion = Math.Min(Math.Min(random.Next(1, 40), content.Length - at), space.Length);
                content.AsSpan(at, portion).CopyTo(space);
                records.Accept(portion);
                at += portion;
            }

            records.EndFile();
        }

        blocks.Finish();
        var text = new StringBuilder();
        var total = 0L;
        while (blocks.Ready.TryDequeue(out var block))
        {
            text.Append(Encoding.UTF8.GetString(block.Bytes));
            total += block.Records;
        }

        Assert.Equal(0, text.Length % 2);
        var (first, second) = (text.ToString(0, text.Length / 2), text.ToString(text.Length / 2, text.Length / 2));
        Assert.Equal(first, second);
        return (first, total / 2);
    }

    private static string Record(string format, int id, Random random)
    {
        var value = new string([.. Enumerable.Range(0, random.Next(0, 150)).Select(_ => "ab\",\n\r é"[random.Next(8)])]);
        return format == "csv"
            ? $"{id},\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : System.Text.Json.JsonSerializer.Serialize(
                new Dictionary<string, object> { ["id"] = id, [Columns[1].Name] = value });
    }

    private static BlockBuilder Blocks() => new(new BlockBuffers(), 4096);

    private static ProducerFile File(long records) => new(1, "x", 1, [], Records: records, null, null, null);
}
