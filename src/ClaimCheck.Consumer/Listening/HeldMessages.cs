using Amazon.SQS.Model;

namespace ClaimCheck.Consumer.Listening;

/// <summary>
/// The messages that this process holds. They are kept hidden from their receive on, until they are settled: while they are
/// handled or waiting, even while the process stops.
/// </summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "A SemaphoreSlim has nothing to dispose of unless its wait handle is asked for.")]
internal sealed partial class HeldMessages(ListenedQueue queue, SqsListenerOptions options, TimeProvider time, ILogger logger)
{
    private readonly Lock guard = new();
    private readonly Dictionary<string, HeldMessage> held = new(StringComparer.Ordinal);
    private readonly BoundedSet<string> settled = new(10_000);
    private readonly SemaphoreSlim calls = new(1); // a heartbeat sent before a release must not arrive after it
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<HeldMessage> All
    {
        get
        {
            lock (guard)
                return [.. held.Values];
        }
    }

    /// <summary>Adds a received message.</summary>
    /// <param name="message">As it was received.</param>
    /// <param name="isDone">It was handled before, but its deletion came too late: it only has to be deleted.</param>
    /// <returns>Null where it is held already: then its receipt handle is replaced.</returns>
    public HeldMessage? Take(Message message, out bool isDone)
    {
        lock (guard)
        {
            isDone = settled.Contains(message.MessageId);
            if (held.TryGetValue(message.MessageId, out var before))
            {
                before.Renew(message);
                Log.Again(logger, message.MessageId);
                return null;
            }
            return held[message.MessageId] = new HeldMessage(message, time.GetTimestamp());
        }
    }

    /// <summary>Waits until fewer than a number are held.</summary>
    /// <returns>How many more may be received.</returns>
    public async Task<int> RoomAsync(int capacity, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task change;
            lock (guard)
            {
                if (held.Count < capacity)
                    return capacity - held.Count;
                change = changed.Task;
            }
            await change.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Renews the visibility of all, until it is cancelled.</summary>
    public async Task KeepAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.Heartbeat, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                foreach (var some in All.Where(IsInTime).Chunk(ListenedQueue.AtOnce))
                    await HideAsync(some, options.Visibility, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Everything is settled.
        }
    }

    /// <summary>Releases messages, to be received again after a delay.</summary>
    public async Task ReleaseAsync(IReadOnlyList<HeldMessage> messages, TimeSpan after, CancellationToken cancellationToken)
    {
        foreach (var some in messages.Chunk(ListenedQueue.AtOnce))
            await HideAsync(some, after, cancellationToken, andForget: true);
    }

    /// <summary>Deletes messages. One that can't be deleted comes again, and is then deleted without being handled.</summary>
    public async Task DeleteAsync(IReadOnlyList<HeldMessage> messages, CancellationToken cancellationToken)
    {
        lock (guard)
        {
            foreach (var message in messages)
                settled.Add(message.MessageId);
        }
        try
        {
            string[] handles;
            do
            {
                handles = [.. messages.Select(message => message.ReceiptHandle)];
                foreach (var code in await queue.DeleteAsync(handles, cancellationToken))
                    Log.NotDeleted(logger, code);
            }
            while (!handles.SequenceEqual(messages.Select(message => message.ReceiptHandle))); // received again meanwhile
        }
        catch (AwsMessagingException e)
        {
            Log.NotDeleted(logger, e.Message);
        }
        finally
        {
            Forget(messages);
        }
    }

    // Beyond it the message becomes visible again, as it would after SQS's 12 hours.
    private bool IsInTime(HeldMessage message) => time.GetElapsedTime(message.Since) < options.MaxProcessing;

    private async Task HideAsync(
        IReadOnlyList<HeldMessage> messages, TimeSpan visibility, CancellationToken cancellationToken, bool andForget = false)
    {
        await calls.WaitAsync(cancellationToken);
        try
        {
            var handles = messages.Where(IsHeld).Select(message => message.ReceiptHandle).ToList();
            // Before the call: it may be received again before the answer is here.
            if (andForget)
                Forget(messages);
            if (handles.Count == 0)
                return;
            foreach (var code in await queue.HideAsync(handles, visibility, cancellationToken))
                Log.NotHidden(logger, code);
        }
        catch (AwsMessagingException e)
        {
            Log.NotHidden(logger, e.Message);
        }
        finally
        {
            calls.Release();
        }
    }

    private bool IsHeld(HeldMessage message)
    {
        lock (guard)
            return held.ContainsKey(message.MessageId) && !settled.Contains(message.MessageId);
    }

    private void Forget(IReadOnlyList<HeldMessage> messages)
    {
        TaskCompletionSource wake;
        lock (guard)
        {
            foreach (var message in messages)
                held.Remove(message.MessageId);
            (wake, changed) = (changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        wake.SetResult();
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Information, "Message {MessageId} is received again while it is being handled: its visibility ran out.")]
        public static partial void Again(ILogger logger, string messageId);

        [LoggerMessage(LogLevel.Warning, "A message could not be deleted and will come again: {Reason}")]
        public static partial void NotDeleted(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Warning, "The visibility of a message could not be changed: {Reason}")]
        public static partial void NotHidden(ILogger logger, string reason);
    }
}
