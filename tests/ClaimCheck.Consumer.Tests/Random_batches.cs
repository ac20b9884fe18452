using System.Text.Json;
using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;
using FsCheck;
using FsCheck.Fluent;

namespace ClaimCheck.Consumer.Tests;

public class Random_batches
{
    private static readonly string[] Alphabet =
        ["a", "Z", "0", ",", "\"", "\n", "\r\n", "\r", " ", "\t", "\\", "{", "é", "漢", "🚚", "null"];

    private static Gen<string?> Value => Gen.Frequency(
        (1, Gen.Constant<string?>(null)),
        (1, Gen.Constant<string?>("")),
        (6, Gen.Elements(Alphabet).ArrayOf().Select(parts => (string?)string.Concat(parts))));

    [Theory]
    [InlineData("csv", "gzip", 3)]
    [InlineData("csv", "none", 1)]
    [InlineData("ndjson", "gzip", 3)]
    [InlineData("ndjson", "none", 1)]
    public void What_was_written_is_what_is_read(string format, string compression, int width)
    {
        var batches =
            from rows in Value.ArrayOf(width).ArrayOf()
            from perBlock in Gen.Choose(1, 7)
            from perFile in Gen.Choose(1, 3)
            select (rows, perBlock, perFile);

        Prop.ForAll(
            batches.ToArbitrary(), input => Check(input.rows, format, compression, width, input.perBlock, input.perFile, []))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    [Fact]
    public void Wherever_it_is_cut_every_record_comes_once_and_in_order()
    {
        var rows = Enumerable.Range(0, 60)
            .Select(i => new string?[] { $"{i}", i % 3 == 0 ? null : new string('x', i % 17), "\"," }).ToArray();
        var cuts = Gen.Choose(0, 1200).Two()
            .Select(pair => (Fault?)(pair.Item1 % 2 == 0 ? new Fault.Ended(pair.Item2) : new Fault.Cut(pair.Item2)))
            .ArrayOf(4);

        Prop.ForAll(cuts.ToArbitrary(), faults => Check(rows, "csv", "none", 3, 4, 8, faults))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    private static void Check(
        string?[][] rows, string format, string compression, int width, int perBlock, int perFile, Fault?[] faults)
    {
        var batch = new StagedTestBatch
        {
            Columns = [.. Enumerable.Range(0, width).Select(i => new Column($"c {i}\"", "text", true))],
            Rows = rows,
            Format = format,
            Compression = compression,
            RowsPerBlock = perBlock,
            BlocksPerFile = perFile,
        };
        var read = Task.Run(() => ReadAsync(batch, faults)).GetAwaiter().GetResult();
        Assert.Equal(JsonSerializer.Serialize(rows), JsonSerializer.Serialize(read));
    }

    private static async Task<List<string?[]>> ReadAsync(StagedTestBatch batch, Fault?[] faults)
    {
        await using var server = await StagingServer.StartAsync(batch);
        foreach (var fault in faults)
            server.Faults.Enqueue(fault);
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());
        var rows = new List<string?[]>();
        await foreach (var record in reader.ReadRecordsAsync(batch.BatchId))
            rows.Add([.. Enumerable.Range(0, record.Columns.Count).Select(record.GetText)]);
        return rows;
    }
}
