using System.Text.Json;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Tests.Listening;

/// <summary>Events as the service publishes them.</summary>
internal static class TestEvents
{
    public static BulkEvent Ready(BatchId? batch = null, string? location = null, long records = 40) => Of(
        EventTypes.BulkReady,
        batch ?? BatchId.New(),
        id => new BulkReadyData
        {
            ExportId = ExportId.New(),
            BatchId = id,
            Dataset = "orders",
            SchemaVersion = 1,
            Location = location is null ? null : new Link(location),
            LocationExpiresAt = DateTimeOffset.UnixEpoch.AddYears(100),
            ClaimUrl = $"http://not-the-service.invalid/v1/batches/{id}/manifest",
            Records = records,
            Bytes = 1000,
            Files = 2,
            Format = "csv",
            Compression = "gzip",
        });

    public static BulkEvent Revoked(BatchId batch) =>
        Of(EventTypes.BulkRevoked, batch, id =>
            new BulkRevokedData(ExportId.New(), id, "orders", "a test", DateTimeOffset.UnixEpoch));

    public static BulkEvent Cancelled(BatchId batch) =>
        Of(EventTypes.BulkCancelled, batch, id => new BulkCancelledData(ExportId.New(), id, "orders", "a test"));

    public static BulkEvent Failed(BatchId batch) =>
        Of(EventTypes.BulkFailed, batch, id =>
            new BulkFailedData(ExportId.New(), id, "orders", new ExportFailure("source_query_failed", "A test.", false)));

    public static string Json(this BulkEvent bulkEvent) => JsonSerializer.Serialize(bulkEvent, ClaimCheckJson.Options);

    private static BulkEvent Of<T>(string type, BatchId batch, Func<BatchId, T> data) => new()
    {
        Id = EventId.New(),
        Type = EventTypes.ToCloudEventType(type),
        Source = $"/v1/exports/{ExportId.New()}",
        Subject = batch.ToString(),
        Time = DateTimeOffset.UnixEpoch,
        Data = JsonSerializer.SerializeToElement(data(batch), ClaimCheckJson.Options),
    };
}
