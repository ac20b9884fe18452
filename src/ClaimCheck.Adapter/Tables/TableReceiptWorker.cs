namespace ClaimCheck.Adapter.Tables;

/// <summary>Sends the receipts in the inboxes to the service.</summary>
internal sealed class TableReceiptWorker(TableInboxes inboxes, ILogger<TableReceiptWorker> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(TableReceiptWorker), inboxes.SendReceiptsAsync, logger, stoppingToken);
}
