namespace ClaimCheck.Demo.Stage;

/// <summary>Follows the event feed up to one event.</summary>
internal static class FeedWatch
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public static async Task<(BulkEvent Event, string? Cursor)> UntilAsync(
        ClaimCheckClient client, string? after, string type, BatchId batch, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Patience);
        try
        {
            while (true)
            {
                try
                {
                    await foreach (var next in client.FollowEventsAsync(after, deadline.Token))
                    {
                        if (EventTypes.FromCloudEventType(next.Event.Type) == type && next.Event.Subject == batch.ToString())
                            return (next.Event, next.Cursor);
                    }
                }
                catch (CursorExpiredException) when (after is not null)
                {
                    after = null; // the catalog is another one: from the oldest event that it keeps
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Reported below.
        }
        throw new DemoException($"The feed had no {type} of {batch} within {Patience.TotalSeconds} seconds.");
    }
}
