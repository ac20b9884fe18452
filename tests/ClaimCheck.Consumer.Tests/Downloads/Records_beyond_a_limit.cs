using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Tests.Downloads;

/// <summary>A reader's own limits are told as that: nothing is wrong with the batch.</summary>
public sealed class Records_beyond_a_limit : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("claimcheck-beyond-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData("csv", 1, "is one record of", "MaxRecordBytes")]
    [InlineData("ndjson", 3, "has 3 records of", "MaxBlockBytes")]
    public async Task A_reader_tells_its_limit_and_a_downloader_has_none(string format, int records, string what, string limit)
    {
        var batch = new StagedTestBatch
        {
            Columns = [new("id", "text", false)],
            Rows = [.. Enumerable.Range(0, records).Select(i => new[] { i + new string('x', 100_000) })],
            Format = format,
        };
        await using var server = await StagingServer.StartAsync(batch);
        using var client = server.Client();
        using var reader = new BatchReader(
            client, new BatchReaderOptions { MaxBlockBytes = 64 << 10, MaxRecordBytes = 64 << 10 });

        var failure = await Assert.ThrowsAsync<RecordTooLargeException>(async () =>
        {
            await foreach (var _ in reader.ReadRecordsAsync(server.Batch.BatchId))
                Assert.Fail("It was read.");
        });
        Assert.Equal((ProblemCodes.RecordTooLarge, false), (failure.Code, failure.IsTransient));
        Assert.Contains(what, failure.Message, StringComparison.Ordinal);
        Assert.Contains($"but BatchReaderOptions.{limit} is 65536: raise it", failure.Message, StringComparison.Ordinal);

        using var downloader = new BatchDownloader(
            client, new BatchReaderOptions { MaxBlockBytes = 64 << 10, MaxRecordBytes = 64 << 10 });
        var manifest = await client.GetManifestAsync(server.Batch.BatchId);
        var saved = await downloader.SaveFileAsync(manifest, manifest.Files[0].Name, directory);
        Assert.Equal(manifest.Files[0].Bytes, new FileInfo(saved).Length);
    }
}
