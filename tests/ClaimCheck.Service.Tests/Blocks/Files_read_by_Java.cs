using System.IO.Compression;
using System.Security.Cryptography;
using ClaimCheck.Service.Tests.Exporting;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Blocks;

/// <summary>Java's gzip reader is the one that once truncated files.</summary>
[Trait("needs", "outside")]
public sealed class Files_read_by_Java
{
    [Theory]
    [InlineData("csv", "SELECT i AS id FROM generate_series(1, 30000) AS i ORDER BY i")]
    [InlineData("ndjson", "SELECT i AS id, md5(i::text) AS note FROM generate_series(1, 30000) AS i ORDER BY i")]
    [InlineData("csv", "SELECT 1 AS id WHERE false")]
    [InlineData("ndjson", "SELECT 1 AS id WHERE false")]
    public async Task Java_reads_each_file_to_its_end_when_it_comes_in_packets(string format, string sql)
    {
        await using var run = await ExportRun.NewAsync();
        (run.Format, run.MaxFileBytes) = (format, 64 << 10);
        await run.TextAsync(sql);
        var files = run.Staged.Complete.Where(file => file.Key.EndsWith(".gz", StringComparison.Ordinal))
            .Select(file => file.Value).ToList();

        Assert.Equal(
            files.Select(file => Convert.ToHexStringLower(SHA256.HashData(OneMember.Read(file)))),
            await JavaGzip.DigestsAsync(files));
    }

    [Fact]
    public async Task Java_cuts_short_what_has_a_member_s_end_at_the_end_of_what_it_was_given()
    {
        // Otherwise the test above would say nothing.
        var random = new Random(1);
        var member = Enumerable.Range(400, 112).Select(length =>
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            using var stored = new MemoryStream();
            using (var gzip = new GZipStream(stored, CompressionLevel.NoCompression, leaveOpen: true))
                gzip.Write(bytes);
            return (Plain: bytes, Stored: stored.ToArray());
        }).First(member => member.Stored.Length == 512); // GZIPInputStream's own buffer

        var digest = Assert.Single(await JavaGzip.DigestsAsync([[.. member.Stored, .. member.Stored]]));

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(member.Plain)), digest);
    }
}
