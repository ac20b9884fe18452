using System.Collections.Concurrent;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

/// <summary>What a consumer's handlers did, over all its restarts.</summary>
internal sealed class Books
{
    /// <summary>Awaited after each record.</summary>
    public Func<Task> AfterRecord { get; set; } = () => Task.CompletedTask;

    public ConcurrentDictionary<BatchId, int> Records { get; } = new();

    /// <summary>Every batch that was read to its end, as often as it was.</summary>
    public ConcurrentQueue<BatchId> Closed { get; } = new();

    public ConcurrentQueue<BatchId> Revoked { get; } = new();

    public ConcurrentQueue<Exception> Failures { get; } = new();
}

/// <summary>A consumer's handler, as one would write it: counts the items of each batch.</summary>
internal sealed class Accounting(Books books) : IBatchHandler
{
    public async Task HandleAsync(BatchContext batch, CancellationToken cancellationToken)
    {
        books.Records[batch.BatchId] = 0;
        try
        {
            await foreach (var _ in batch.ReadAsync<Item>(cancellationToken))
            {
                books.Records.AddOrUpdate(batch.BatchId, 1, (_, count) => count + 1);
                await books.AfterRecord();
            }
        }
        catch (Exception e)
        {
            books.Failures.Enqueue(e);
            throw;
        }
        books.Closed.Enqueue(batch.BatchId);
    }

    public Task OnRevokedAsync(BulkRevokedData revoked, CancellationToken cancellationToken)
    {
        books.Revoked.Enqueue(revoked.BatchId);
        return Task.CompletedTask;
    }

    private sealed record Item(long Id, string? Name);
}
