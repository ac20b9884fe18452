using System.Threading.Channels;

namespace ClaimCheck.Consumer.Listening;

/// <summary>
/// Listens to a queue: receives as many messages as it has room for, keeps them hidden, passes their events to the dispatcher,
/// and deletes, in batches, what is done. What fails is received again after a delay; the queue's redrive policy counts the
/// receives.
/// </summary>
internal sealed partial class SqsListener(
    ListenedQueue queue, SqsListenerOptions options, BatchDispatcher dispatcher, ConsumerName consumer,
    ILogger<SqsListener> logger)
    : BackgroundService
{
    private static readonly TimeSpan CleanUp = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LastPoll = TimeSpan.FromSeconds(2);
    private readonly HashSet<Task> working = [];
    private readonly HeldMessages held = new(queue, options, TimeProvider.System, logger);
    private Channel<HeldMessage> done = NewDone();

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(SqsListener), ListenAsync, logger, stoppingToken);

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        done = NewDone();
        Log.Listening(logger, queue.Name);
        using var handling = new CancellationTokenSource();
        using var polling = new CancellationTokenSource();
        using var keeping = new CancellationTokenSource();
        var keeper = BackgroundLoop.RunAsync("The heartbeat of held messages", held.KeepAsync, logger, keeping.Token);
        var deleter = DeleteAsync();
        var receiver = ReceiveAsync(handling.Token, polling.Token, stoppingToken);
        try
        {
            // None of them ends before the stop, unless it is broken: then all of it begins again.
            await (await Task.WhenAny(receiver, keeper, deleter).WaitAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process stops.
        }
        finally
        {
            await DrainAsync(receiver, handling, polling);
            done.Writer.Complete();
            await deleter;
            using var cleanUp = new CancellationTokenSource(CleanUp);
            await ReleaseAsync(held.All, TimeSpan.Zero, cleanUp.Token);
            await keeping.CancelAsync();
            await keeper;
            Log.Stopped(logger, queue.Name);
        }
    }

    private async Task ReceiveAsync(CancellationToken handling, CancellationToken polling, CancellationToken stoppingToken)
    {
        for (var failures = 0; !stoppingToken.IsCancellationRequested;)
        {
            try
            {
                var room = await held.RoomAsync(options.MaxConcurrentBatches + options.MaxWaiting, stoppingToken);
                var messages = await queue.ReceiveAsync(room, options.PollTime, options.Visibility, polling);
                failures = 0;
                foreach (var message in messages)
                {
                    if (held.Take(message, out var isDone) is not { } taken)
                        continue;
                    if (isDone)
                        done.Writer.TryWrite(taken);
                    else
                        Begin(ProcessAsync(taken, handling, stoppingToken));
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (AwsMessagingException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (AwsMessagingException e)
            {
                var pause = Backoff.After(++failures, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
                Log.NotReceived(logger, pause, e.Message);
                await Task.Delay(pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                var pause = Backoff.After(++failures, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
                Log.ReceivingBroke(logger, Defect.Of(e), pause);
                await Task.Delay(pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static Channel<HeldMessage> NewDone() =>
        Channel.CreateUnbounded<HeldMessage>(new UnboundedChannelOptions { SingleReader = true });

    private async Task ProcessAsync(HeldMessage message, CancellationToken handling, CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(handling);
        ended.CancelAfter(options.MaxProcessing);
        var after = Backoff.After(message.ReceiveCount, options.RetryDelay, options.MaxRetryDelay);
        try
        {
            if (Open(message) is not { } incoming
                || await dispatcher.DispatchAsync(incoming, stoppingToken, ended.Token) == Settlement.Done)
            {
                done.Writer.TryWrite(message); // fails only once the listener has stopped without it
                return;
            }
        }
        catch (MalformedEventException e)
        {
            Log.Malformed(logger, message.MessageId, queue.Name, message.ReceiveCount, e.Message);
        }
        catch (OperationCanceledException)
        {
            // Stopped, or held for too long: another consumer may have it at once.
            after = TimeSpan.Zero;
            if (!stoppingToken.IsCancellationRequested)
                Log.HeldTooLong(logger, message.MessageId, options.MaxProcessing);
        }
        catch (Exception e) // whatever fails, the message must not stay hidden with nobody working on it
        {
            Log.Unexpected(logger, e, message.MessageId);
        }
        using var cleanUp = new CancellationTokenSource(CleanUp);
        await ReleaseAsync([message], after, cleanUp.Token);
    }

    /// <returns>Null for what is acknowledged without being handled.</returns>
    private IncomingEvent? Open(HeldMessage message)
    {
        // An envelope is larger than the event in it, and its quotes are escaped.
        if (message.Received.Body.Length > 4 * EventReader.MaxBytes)
            throw new MalformedEventException(
                $"It has {message.Received.Body.Length} characters, but an event has at most {EventReader.MaxBytes} bytes.");
        var delivered = DeliveredMessage.Open(message.Received);
        if (EventReader.Read(delivered.Body) is not { } incoming)
        {
            Log.Unknown(logger, message.MessageId);
            return null;
        }
        if (!consumer.Concerns(delivered.Consumer))
        {
            Log.ForAnother(logger, incoming.Event.Type, incoming.Event.Id);
            return null;
        }
        return incoming with { TraceParent = delivered.TraceParent, Attempt = message.ReceiveCount };
    }

    private async Task DeleteAsync()
    {
        while (await done.Reader.WaitToReadAsync())
        {
            var some = new List<HeldMessage>(ListenedQueue.AtOnce);
            while (some.Count < ListenedQueue.AtOnce && done.Reader.TryRead(out var message))
                some.Add(message);
            using var cleanUp = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            try
            {
                await held.DeleteAsync(some, cleanUp.Token);
            }
            catch (OperationCanceledException)
            {
                Log.DeleteGivenUp(logger, some.Count);
            }
            catch (Exception e)
            {
                Log.DeletingBroke(logger, Defect.Of(e), some.Count); // they come again, and are deleted then
            }
        }
    }

    // No new work from here on: what has not begun is released at once. What has begun may finish in time, and is released if it
    // does not. The poll that still waits is awaited meanwhile: cancelled, it could receive, for nobody, what was just released.
    private async Task DrainAsync(Task receiver, CancellationTokenSource handling, CancellationTokenSource polling)
    {
        var isIdle = held.All.Count == 0;
        handling.CancelAfter(options.StopTimeout);
        await Working().WaitAsync(options.StopTimeout + CleanUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!isIdle)
            await receiver.WaitAsync(LastPoll).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await polling.CancelAsync();
        await receiver.WaitAsync(CleanUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Working().WaitAsync(CleanUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!Working().IsCompleted)
            Log.StillHandling(logger, held.All.Count);
    }

    private void Begin(Task task)
    {
        lock (working)
        {
            working.RemoveWhere(each => each.IsCompleted);
            working.Add(task);
        }
    }

    private Task Working()
    {
        lock (working)
            return Task.WhenAll(working);
    }

    private async Task ReleaseAsync(IReadOnlyList<HeldMessage> messages, TimeSpan after, CancellationToken cancellationToken)
    {
        try
        {
            await held.ReleaseAsync(messages, after, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Its visibility runs out by itself.
        }
        catch (Exception e)
        {
            Log.ReleasingBroke(logger, Defect.Of(e), messages.Count);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Listening to the queue {Queue}.")]
        public static partial void Listening(ILogger logger, string queue);

        [LoggerMessage(LogLevel.Information, "No longer listening to the queue {Queue}.")]
        public static partial void Stopped(ILogger logger, string queue);

        [LoggerMessage(LogLevel.Warning, "Nothing could be received, asking again in {Pause}: {Reason}")]
        public static partial void NotReceived(ILogger logger, TimeSpan pause, string reason);

        [LoggerMessage(LogLevel.Error, "Receiving broke, and begins again in {Pause}.")]
        public static partial void ReceivingBroke(ILogger logger, Exception exception, TimeSpan pause);

        [LoggerMessage(LogLevel.Error, "{Count} messages can't be deleted, and will come again.")]
        public static partial void DeletingBroke(ILogger logger, Exception exception, int count);

        [LoggerMessage(LogLevel.Error, "{Count} messages can't be released before their visibility runs out.")]
        public static partial void ReleasingBroke(ILogger logger, Exception exception, int count);

        [LoggerMessage(LogLevel.Error, "Message {MessageId} of the queue {Queue} (received {Count} times) is not a ClaimCheck "
            + "event, and is left to the redrive policy. {Reason}")]
        public static partial void Malformed(ILogger logger, string messageId, string queue, int count, string reason);

        [LoggerMessage(LogLevel.Warning,
            "Message {MessageId} has been held for {Limit}: its handler is cancelled, and it will be received again.")]
        public static partial void HeldTooLong(ILogger logger, string messageId, TimeSpan limit);

        [LoggerMessage(LogLevel.Error, "Message {MessageId} could not be handled.")]
        public static partial void Unexpected(ILogger logger, Exception exception, string messageId);

        [LoggerMessage(LogLevel.Debug, "Message {MessageId} is acknowledged: its type is newer than this version.")]
        public static partial void Unknown(ILogger logger, string messageId);

        [LoggerMessage(LogLevel.Debug, "{Type} {EventId} is acknowledged: it is for another consumer.")]
        public static partial void ForAnother(ILogger logger, string type, Contracts.EventId eventId);

        [LoggerMessage(LogLevel.Warning, "{Count} messages could not be deleted in time and will come again.")]
        public static partial void DeleteGivenUp(ILogger logger, int count);

        [LoggerMessage(LogLevel.Error,
            "{Count} handlers ignore their cancellation: their messages will be received again while they continue.")]
        public static partial void StillHandling(ILogger logger, int count);
    }
}
