using System.Collections.Concurrent;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Tests.Listening;

/// <summary>What the handlers of one test saw, and what they do.</summary>
internal sealed class Seen
{
    /// <summary>What a handler does with a batch; by default nothing.</summary>
    public Func<BatchContext, CancellationToken, Task> Handle { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Every call, in turn, when it began: <c>ready bat_…</c>.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    /// <summary>Every batch that was handled to the end.</summary>
    public ConcurrentQueue<BatchId> Handled { get; } = new();

    public ConcurrentQueue<Exception> Failures { get; } = new();

    public int Times(string call) => Calls.Count(each => each == call);

    public int Times(string kind, BatchId batch) => Times($"{kind} {batch}");
}

internal sealed class TestHandler(Seen seen) : IBatchHandler
{
    public async Task HandleAsync(BatchContext batch, CancellationToken cancellationToken)
    {
        seen.Calls.Enqueue($"ready {batch.BatchId}");
        try
        {
            await seen.Handle(batch, cancellationToken);
            seen.Handled.Enqueue(batch.BatchId);
        }
        catch (Exception e)
        {
            seen.Failures.Enqueue(e);
            throw;
        }
    }

    public Task OnRevokedAsync(BulkRevokedData revoked, CancellationToken cancellationToken) => Note("revoked", revoked.BatchId);

    public Task OnCancelledAsync(BulkCancelledData cancelled, CancellationToken cancellationToken) =>
        Note("cancelled", cancelled.BatchId);

    public Task OnFailedAsync(BulkFailedData failed, CancellationToken cancellationToken) => Note("failed", failed.BatchId);

    private Task Note(string kind, BatchId batch)
    {
        seen.Calls.Enqueue($"{kind} {batch}");
        return Task.CompletedTask;
    }
}
