namespace ClaimCheck.Consumer;

/// <summary>
/// What a consumer does with batches; the same for a queue and for the event feed. One is created for each event, in a scope of
/// its own. Events come at least once: a batch may be passed again, from its beginning, even after it was handled.
/// </summary>
public interface IBatchHandler
{
    /// <summary>Handles a batch that is ready. Nothing is opened before it reads.</summary>
    /// <param name="batch">The batch, and how to read it.</param>
    /// <param name="cancellationToken">
    /// Cancelled where the process stops and its time for that is over, or the message has been held for the longest time
    /// allowed.
    /// </param>
    /// <remarks>
    /// Returning settles the event. <see cref="BatchEndedException"/> settles it too: nothing is left to handle.
    /// <see cref="BatchRejectedException"/> settles it with an error in the log. After any other exception it is tried again with
    /// a delay: from a queue until its redrive policy moves it to the dead letter queue, from the feed a limited number of times.
    /// </remarks>
    Task HandleAsync(BatchContext batch, CancellationToken cancellationToken);

    /// <summary>
    /// A batch was revoked: discard what was read of it. By then <see cref="HandleAsync"/> has ended for it in this process, and
    /// will not be called for it again. Also called for batches that this consumer never saw. Does nothing by default.
    /// </summary>
    /// <param name="revoked">What was revoked, when and why.</param>
    /// <param name="cancellationToken">As above.</param>
    Task OnRevokedAsync(BulkRevokedData revoked, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>An export was cancelled before its batch was ready: do not wait for it. Does nothing by default.</summary>
    /// <param name="cancelled">What was cancelled, and why.</param>
    /// <param name="cancellationToken">As above.</param>
    Task OnCancelledAsync(BulkCancelledData cancelled, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>An export failed: do not wait for its batch. Does nothing by default.</summary>
    /// <param name="failed">What failed, and why.</param>
    /// <param name="cancellationToken">As above.</param>
    Task OnFailedAsync(BulkFailedData failed, CancellationToken cancellationToken) => Task.CompletedTask;
}
