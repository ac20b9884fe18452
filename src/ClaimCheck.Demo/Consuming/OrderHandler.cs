namespace ClaimCheck.Demo.Consuming;

/// <summary>What a consumer has to write: the rest is the library's.</summary>
internal sealed class OrderHandler(TimeProvider clock) : IBatchHandler
{
    public async Task HandleAsync(BatchContext batch, CancellationToken cancellationToken)
    {
        Say(new ConsumerLine(ConsumerLine.Words.Received)
        {
            EventId = batch.Event.Id,
            BatchId = batch.BatchId,
            AfterMilliseconds = Math.Round((clock.GetUtcNow() - batch.Event.Time).TotalMilliseconds),
            Attempt = batch.Attempt,
            Records = batch.Ready.Records,
        });
        var tally = new Tally();
        var watch = Stopwatch.StartNew();
        try
        {
            await foreach (var order in batch.ReadAsync<Order>(cancellationToken))
            {
                tally.Add(order);
                if (tally.Count % 50_000 == 0)
                    Say(new ConsumerLine(ConsumerLine.Words.Reading) { BatchId = batch.BatchId, Records = tally.Count });
            }
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            Say(new ConsumerLine(ConsumerLine.Words.Failed) { BatchId = batch.BatchId, Reason = e.Message });
            throw;
        }
        Say(new ConsumerLine(ConsumerLine.Words.Read)
        {
            BatchId = batch.BatchId,
            Records = tally.Count,
            Sum = tally.Sum,
            Seconds = Math.Round(watch.Elapsed.TotalSeconds, 2),
            Memory = Environment.WorkingSet,
        });
    }

    public Task OnRevokedAsync(BulkRevokedData revoked, CancellationToken cancellationToken)
    {
        Say(new ConsumerLine(ConsumerLine.Words.Revoked)
        {
            BatchId = revoked.BatchId,
            AfterMilliseconds = Math.Round((clock.GetUtcNow() - revoked.RevokedAt).TotalMilliseconds),
            Reason = revoked.Reason,
        });
        return Task.CompletedTask;
    }

    private static void Say(ConsumerLine line) => Console.WriteLine(line);
}
