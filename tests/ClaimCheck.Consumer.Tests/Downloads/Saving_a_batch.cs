using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Tests.Downloads;

public sealed class Saving_a_batch : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("claimcheck-save-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task A_revocation_cuts_it_in_the_middle_of_a_file_and_nothing_is_kept()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(75));
        server.Faults.Enqueue(new Fault.Stalled(400));
        server.Faults.Enqueue(new Fault.Stalled(400));
        server.Answer = _ => StagingServer.Problem(410, ProblemCodes.BatchRevoked);
        using var client = server.Client();
        using var downloader = new BatchDownloader(client, new BatchReaderOptions
        {
            StallTimeout = TimeSpan.FromMinutes(10),
            StateCheckInterval = TimeSpan.FromMilliseconds(100),
        });

        await Assert.ThrowsAsync<BatchRevokedException>(
            () => downloader.DownloadAsync(server.Batch.BatchId, directory).WaitAsync(TimeSpan.FromMinutes(2)));

        Assert.DoesNotContain(
            Directory.GetFiles(directory), file => Path.GetFileName(file).StartsWith("part-", StringComparison.Ordinal));
    }
}
