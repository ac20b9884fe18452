namespace ClaimCheck.Adapter.Steps;

/// <summary>Works on every delivery that begins, each by itself.</summary>
internal sealed class DeliveryWorker(DeliveryBook book, DeliveryRunner runner, ILogger<DeliveryWorker> logger) : BackgroundService
{
    private readonly HashSet<Task> working = [];

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(DeliveryWorker), WorkAsync, logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var delivery in book.Begun.ReadAllAsync(stoppingToken))
            {
                working.RemoveWhere(task => task.IsCompleted);
                working.Add(BackgroundLoop.RunAsync(
                    $"Delivery {delivery.Document.Id}", token => runner.RunAsync(delivery, token), logger, stoppingToken));
            }
        }
        finally
        {
            // The process stops: each step ends where it is.
            if (stoppingToken.IsCancellationRequested)
                await Task.WhenAll(working);
        }
    }
}
