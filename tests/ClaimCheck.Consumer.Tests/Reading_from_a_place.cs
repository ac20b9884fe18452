using ClaimCheck.Consumer.Tests.Staging;

namespace ClaimCheck.Consumer.Tests;

public class Reading_from_a_place
{
    [Theory]
    [InlineData("csv", "gzip")]
    [InlineData("csv", "gzip", "gzip")]
    [InlineData("ndjson", "none")]
    public async Task From_each_place_the_rest_comes_and_nothing_before_it_is_fetched(
        string format, string compression, string? framing = null)
    {
        // blocks of 10, files of 30
        await using var server = await StagingServer.StartAsync(Order.Batch(75, format, compression, framing));
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());
        var places = new List<BatchPosition> { BatchPosition.Start(server.Batch.BatchId) };
        await foreach (var record in reader.ReadFromAsync<Order>(places[0]))
            places.Add(record.Next);

        foreach (var place in places)
        {
            Assert.True(BatchPosition.TryParse(place.BatchId, place.ToString(), out var parsed) && parsed == place);
            server.Fetches.Clear();
            var ids = new List<long>();
            await foreach (var record in reader.ReadRecordsFromAsync(place))
                ids.Add(record.Value.Get<long>("id"));
            Assert.Equal(Enumerable.Range(1, 75).Skip((int)place.Records).Select(i => (long)i), ids);
            for (var file = 1; file <= place.File; file++)
                Assert.DoesNotContain(
                    server.Fetches, fetch => fetch.Name.StartsWith($"part-{file:00000}", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(0, 0, 3, 4)]
    [InlineData(1, 0, 0, 29)]
    [InlineData(0, 1, 11, 21)]
    [InlineData(0, 4, 0, 30)]
    [InlineData(9, 0, 0, 75)]
    [InlineData(0, 0, -1, -1)]
    public async Task A_place_that_does_not_add_up_is_refused(int file, int block, long record, long records)
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(75));
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());

        await Assert.ThrowsAsync<IntegrityException>(async () =>
        {
            await foreach (var _ in reader.ReadFromAsync<Order>(new(server.Batch.BatchId, file, block, record, records)))
            {
            }
        });
    }
}
