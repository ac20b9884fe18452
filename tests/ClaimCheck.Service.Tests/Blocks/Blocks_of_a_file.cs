using ClaimCheck.Contracts;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Tests.Exporting;

namespace ClaimCheck.Service.Tests.Blocks;

public sealed class Blocks_of_a_file
{
    private const string Rows = """
        SELECT i AS id, CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'two\n"lines"' ELSE md5(i::text) END AS note
          FROM generate_series(1, 40000) AS i
         ORDER BY i
        """;

    [Theory]
    [InlineData("csv", "gzip", 64 << 10)]
    [InlineData("csv", "none", 64 << 10)]
    [InlineData("ndjson", "gzip", 64 << 10)]
    [InlineData("ndjson", "none", 100_000)]
    [InlineData("csv", "none", 256 << 20)]
    [InlineData("csv", "gzip", 64 << 10, "gzip")]
    [InlineData("ndjson", "gzip", 256 << 20, "gzip")]
    public async Task Blocks_tile_the_files_with_whole_records_and_every_sum_is_right(
        string format, string compression, int maxFileBytes, string framing = "deflate")
    {
        await using var run = await ExportRun.NewAsync();
        run.Framing = framing;
        (run.Format, run.Compression, run.MaxFileBytes, run.OrderedBy) = (format, compression, maxFileBytes, "id");

        var text = await run.TextAsync(Rows); // checks each file, block and sum

        var ids = format == "csv"
            ? CsvText.Parse(text).Select(record => record[0]!)
            : text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(':', ',')[1]);
        Assert.Equal(Enumerable.Range(1, 40_000).Select(id => $"{id}"), ids);
        Assert.Equal(40_000, run.Meter.Records);
        Assert.NotNull(run.Meter.EstimatedRecords);
        Assert.All(run.Staged.Contents, content => Assert.Equal(content.Key, content.Value.FileName));
        var type = compression == "gzip" ? "application/gzip" : format == "csv" ? "text/csv" : "application/x-ndjson";
        Assert.All(run.Staged.Contents, content =>
            Assert.Equal(
                content.Key.EndsWith(".json", StringComparison.Ordinal) ? "application/json" : type, content.Value.ContentType));
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task Full_blocks_have_between_one_and_four_mebibytes(string format)
    {
        await using var run = await ExportRun.NewAsync();
        (run.Format, run.Compression) = (format, "none");
        var batch = await run.ExportAsync("SELECT i AS id, repeat(md5(i::text), 20) AS note FROM generate_series(1, 20000) AS i");
        run.Check(batch, format == "csv" ? "id,note\n" : "");

        var index = System.Text.Json.JsonSerializer.Deserialize<BlockIndex>(
            run.Staged.Complete[batch.Files[0].IndexName], ClaimCheckJson.Options)!;
        Assert.True(index.Blocks.Count > 4);
        Assert.All(index.Blocks.SkipLast(1), block => Assert.InRange(block.UncompressedBytes, 1 << 20, 4 << 20));
    }

    [Theory]
    [InlineData("csv", "none", 64 << 10)]
    [InlineData("ndjson", "gzip", 64 << 10)]
    [InlineData("csv", "gzip", 256 << 20)]
    public async Task A_record_larger_than_a_block_or_a_file_is_stored_whole(string format, string compression, int maxFileBytes)
    {
        await using var run = await ExportRun.NewAsync();
        (run.Format, run.Compression, run.MaxFileBytes) = (format, compression, maxFileBytes);

        var text = await run.TextAsync("""
            SELECT i AS id, CASE WHEN i % 7 = 3 THEN (SELECT string_agg(md5(j::text), E'"\n') FROM generate_series(1, 200000) AS j) ELSE 'small' END AS note
              FROM generate_series(1, 20) AS i
            """);

        Assert.Equal(20, run.Meter.Records);
        Assert.True(text.Length > 3 * 200_000 * 34);
    }

    [Theory]
    [InlineData("csv", "gzip")]
    [InlineData("csv", "none")]
    [InlineData("ndjson", "gzip")]
    [InlineData("ndjson", "none")]
    [InlineData("csv", "gzip", "gzip")]
    [InlineData("ndjson", "gzip", "gzip")]
    public async Task An_empty_result_is_one_file_without_records(string format, string compression, string framing = "deflate")
    {
        await using var run = await ExportRun.NewAsync();
        (run.Format, run.Compression, run.Framing) = (format, compression, framing);

        Assert.Equal("", await run.TextAsync("SELECT 1 AS id, 'x' AS \"a \"\"b\"\", c\" WHERE false"));

        Assert.Equal(2, run.Staged.Complete.Count);
        if (compression == "gzip")
            Assert.NotEmpty(run.Staged.Complete[$"part-00001.{format}.gz"]);
    }

    [Fact]
    public void Sums_of_runs_put_together_are_the_sum_of_the_whole()
    {
        var random = new Random(2);
        var bytes = new byte[100_000];
        random.NextBytes(bytes);
        int[] cuts = [0, 0, 1, 2, 9, 500, 65_536, 99_999, .. Enumerable.Range(0, 50).Select(_ => random.Next(100_000)), 100_000];
        Array.Sort(cuts);

        var sum = cuts.Zip(cuts.Skip(1))
            .Aggregate(default(Crc32Sum), (sum, run) => sum.Then(Crc32Sum.Of(bytes.AsSpan(run.First..run.Second))));

        Assert.Equal(Crc32Sum.Of(bytes), sum);
        // Of lengths that nobody would read for it: a mebibyte of zeros, doubled to a pebibyte, in either order.
        var (left, right) = (Crc32Sum.Of(new byte[1 << 20]), Crc32Sum.Of(new byte[1 << 20]));
        for (var power = 0; power < 30; power++)
            (left, right) = (left.Then(left), power < 29 ? right.Then(right) : right);
        Assert.Equal(left, right.Then(right));
        Assert.Equal(
            Crc32Sum.Of("before"u8).Then(left).Then(Crc32Sum.Of(bytes)),
            Crc32Sum.Of("before"u8).Then(left.Then(Crc32Sum.Of(bytes))));
    }

    [Fact]
    public async Task More_than_ten_thousand_files_are_too_many()
    {
        var staged = new StagedObjects();
        var layout = new PartLayout
        {
            Extension = "csv",
            ContentType = "text/csv",
            Framing = "none",
            MaxFileBytes = 10,
            Header = "id\n"u8.ToArray(),
            PlainHeader = Crc32Sum.Of("id\n"u8),
        };
        await using var files = new PartFiles(layout, staged.OpenAsync, new ExportMeter());
        var block = new SealedBlock("1234567\n"u8.ToArray(), 8, Crc32Sum.Of("1234567\n"u8), 1, new byte[32]);
        for (var i = 0; i < 10_000; i++)
            await files.AddAsync(block, CancellationToken.None);

        var failure = await Assert.ThrowsAsync<SourceException>(() => files.AddAsync(block, CancellationToken.None));

        Assert.Equal(("too_many_files", false), (failure.Code, failure.IsTransient));
    }

    [Fact]
    public async Task More_than_10000_files_are_too_many()
    {
        var staged = new StagedObjects();
        var layout = new PartLayout
        {
            Extension = "csv",
            ContentType = "text/csv",
            Framing = "none",
            MaxFileBytes = 1, // each block then is a file
            Header = default,
            PlainHeader = default,
        };
        var block = new SealedBlock([(byte)'1', (byte)'\n'], 2, Crc32Sum.Of("1\n"u8), 1, new byte[32]);
        await using (var files = new PartFiles(layout, staged.OpenAsync, new ExportMeter()))
        {
            for (var file = 1; file <= 10_000; file++)
                await files.AddAsync(block, CancellationToken.None);

            var failure = await Assert.ThrowsAsync<SourceException>(() => files.AddAsync(block, CancellationToken.None));

            Assert.Equal(("too_many_files", false), (failure.Code, failure.IsTransient));
        }

        Assert.Equal(20_000, staged.Complete.Count); // each with its index
        Assert.Equal(0, staged.Open);
    }
}
