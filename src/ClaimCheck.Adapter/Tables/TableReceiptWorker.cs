using ClaimCheck.Consumer.Listening;

namespace ClaimCheck.Adapter.Tables;

/// <summary>Sends what the inboxes have written of batches to the service.</summary>
internal sealed class TableReceiptWorker(TableInboxes inboxes, ILogger<TableReceiptWorker> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(TableReceiptWorker), inboxes.SendReceiptsAsync, logger, stoppingToken);
}
