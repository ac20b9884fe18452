using System.IO.Compression;
using System.Text;
using System.Text.Json;
using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Tests.Downloads;

/// <summary>Blocks whose stored bytes are what their checksum says, in files that are what theirs says, and that are not
/// what a block is.</summary>
public sealed class Hostile_blocks
{
    private const string Csv = "part-00001.csv.gz";
    private const string Index = "part-00001.index.json";

    public static TheoryData<string, string> Flaws() => new()
    {
        { "deflate", "a final bit" },
        { "deflate", "a final bit and more" },
        { "deflate", "trailing bytes" },
        { "deflate", "reaches back" },
        { "deflate", "inflates further" },
        { "deflate", "ends early" },
        { "deflate", "ends within a byte" },
        { "deflate", "takes what follows for its own" },
        { "deflate", "a member" },
        { "deflate", "noise" },
        { "deflate", "a bomb" },
        { "gzip", "inflates further" },
        { "gzip", "ends early" },
        { "gzip", "noise" },
        { "gzip", "a bomb" },
    };

    [Theory]
    [MemberData(nameof(Flaws))]
    public async Task No_record_of_a_block_that_is_none_is_handed_over(string framing, string flaw)
    {
        var batch = Order.Batch(10, framing: framing);
        await using var server = await StagingServer.StartAsync(batch);
        var block = Read(batch).Blocks[0];
        var rows = Rows(batch, block);
        var (stored, length) = Flawed(framing, flaw, rows);
        Replace(batch, block, stored, length);

        var failure = await Assert.ThrowsAsync<IntegrityException>(() => Reading_a_batch.ReadAsync(server));

        Assert.Contains("does not inflate", failure.Message, StringComparison.Ordinal);

        // The same way of making it, without the flaw, is read.
        Replace(batch, Read(batch).Blocks[0], framing == "deflate" ? Deflate(rows) : Gzip(rows), rows.Length);
        Assert.Equal(10, (await Reading_a_batch.ReadAsync(server)).Count);
    }

    [Theory]
    [InlineData("a flag in the gzip header")]
    [InlineData("another method")]
    [InlineData("a block for an end")]
    [InlineData("another length at the end")]
    [InlineData("no end")]
    [InlineData("a header run that is final")]
    public async Task A_file_that_is_no_single_member_is_refused(string flaw)
    {
        var batch = Order.Batch(10);
        await using var server = await StagingServer.StartAsync(batch);
        var file = batch.Objects[Csv];
        switch (flaw)
        {
            case "a flag in the gzip header":
                file[3] = 8;
                break;
            case "another method":
                file[2] = 7;
                break;
            case "a block for an end":
                file[^10] = 2;
                break;
            case "another length at the end":
                file[^4]++;
                break;
            case "no end":
                batch.Objects[Csv] = file[..^10];
                break;
            default:
                file[10] |= 1; // the first bit of the header run
                break;
        }

        await Assert.ThrowsAsync<IntegrityException>(() => Reading_a_batch.ReadAsync(server));
    }

    [Theory]
    [InlineData("zstd", "framed as 'zstd'")]
    [InlineData("", "framed as ''")]
    [InlineData("Deflate", "framed as 'Deflate'")]
    [InlineData("none", "the framing is none, but the manifest's compression gzip")]
    [InlineData("\n\u001b[31m", "framed as something else")]
    public async Task A_framing_that_is_not_known_is_said_to_be(string framing, string said)
    {
        var batch = Order.Batch(10);
        await using var server = await StagingServer.StartAsync(batch);
        Write(batch, Read(batch) with { Framing = framing });

        var failure = await Assert.ThrowsAsync<IntegrityException>(() => Reading_a_batch.ReadAsync(server));

        Assert.Contains(said, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Fetches, fetch => fetch.Name.EndsWith(".gz", StringComparison.Ordinal));
        // It can't be saved either: what is not read can't be verified.
        var directory = Directory.CreateTempSubdirectory("claimcheck-framing-").FullName;
        using var client = server.Client();
        using var downloader = new BatchDownloader(client, StagingServer.Options());
        await Assert.ThrowsAsync<IntegrityException>(() => downloader.DownloadAsync(batch.BatchId, directory));
        Directory.Delete(directory, recursive: true);
    }

    private static (byte[] Stored, int Length) Flawed(string framing, string flaw, byte[] rows)
    {
        Func<byte[], byte[]> pack = framing == "deflate" ? Deflate : Gzip;
        return flaw switch
        {
            "a final bit" => (Final(rows), rows.Length),
            "a final bit and more" => ([.. Final(rows), .. Deflate(rows)], rows.Length),
            "trailing bytes" => ([.. pack(rows), 7], rows.Length),
            // Compressed behind itself, it is little more than a reference to what stood there.
            "reaches back" => (Deflate([.. rows, .. rows], flushAt: rows.Length)[Deflate(rows).Length..], rows.Length),
            "inflates further" => (pack([.. rows, .. rows]), rows.Length),
            "ends early" => (pack(rows[..^1]), rows.Length),
            "ends within a byte" => (Deflate(rows)[..^5], rows.Length),
            // A stored block as long as all that a reader could put behind it to see where it ends: 5 bytes and 16.
            "takes what follows for its own" => ([.. Deflate(rows[..^5]), 0, 21, 0, 0xFF ^ 21, 0xFF], rows.Length),
            "a member" => (Gzip(rows), rows.Length),
            "noise" => ([.. rows.Select(value => (byte)(value * 31))], rows.Length),
            // A thousand times what the index promises.
            "a bomb" => (pack(new byte[64 * 1024 * 1024]), 65_000),
            _ => throw new ArgumentOutOfRangeException(nameof(flaw)),
        };
    }

    private static byte[] Deflate(byte[] bytes) => Deflate(bytes, bytes.Length);

    private static byte[] Deflate(byte[] bytes, int flushAt)
    {
        using var stored = new MemoryStream();
        using var deflate = new DeflateStream(stored, CompressionLevel.Optimal);
        deflate.Write(bytes, 0, flushAt);
        deflate.Flush();
        deflate.Write(bytes, flushAt, bytes.Length - flushAt);
        deflate.Flush();
        return stored.ToArray();
    }

    private static byte[] Final(byte[] bytes)
    {
        using var stored = new MemoryStream();
        using (var deflate = new DeflateStream(stored, CompressionLevel.Optimal))
            deflate.Write(bytes);
        return stored.ToArray();
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var stored = new MemoryStream();
        using (var gzip = new GZipStream(stored, CompressionLevel.Optimal))
            gzip.Write(bytes);
        return stored.ToArray();
    }

    private static BlockIndex Read(StagedTestBatch batch) =>
        JsonSerializer.Deserialize<BlockIndex>(batch.Objects[Index], ClaimCheckJson.Options)!;

    private static void Write(StagedTestBatch batch, BlockIndex index) =>
        batch.Objects[Index] = JsonSerializer.SerializeToUtf8Bytes(index, ClaimCheckJson.Options);

    private static byte[] Rows(StagedTestBatch batch, Block block)
    {
        var stored = batch.Objects[Csv].AsMemory((int)block.Offset, (int)block.Bytes);
        using Stream inflated = batch.Framing == "deflate"
            ? new DeflateStream(new MemoryStream([.. stored.Span, 3, 0]), CompressionMode.Decompress)
            : new GZipStream(new MemoryStream(stored.ToArray()), CompressionMode.Decompress);
        using var rows = new MemoryStream();
        inflated.CopyTo(rows);
        return rows.ToArray();
    }

    // File, index and manifest then say the same of it, checksums too.
    private static void Replace(StagedTestBatch batch, Block block, byte[] stored, int length)
    {
        var header = Encoding.UTF8.GetByteCount("id,customer_name,total,placed_at\n");
        byte[] end = batch.Framing == "deflate" ? [3, 0, 0, 0, 0, 0, .. BitConverter.GetBytes(header + length)] : [];
        batch.Objects[Csv] = [.. batch.Objects[Csv].AsSpan(0, (int)block.Offset), .. stored, .. end];
        Write(
            batch,
            Read(batch) with { Blocks = [new Block(block.Offset, stored.Length, length, 10, StagedTestBatch.Sha256(stored))] });
        batch.Files[0] = batch.Files[0] with { Uncompressed = header + length };
    }
}
