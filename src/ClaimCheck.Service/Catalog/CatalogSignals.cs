using System.Threading.Channels;

namespace ClaimCheck.Service.Catalog;

/// <summary>Wake-ups from the catalog (LISTEN/NOTIFY on one connection). They only save waiting: every waiter also polls, so a
/// lost notification costs time, never correctness.</summary>
internal sealed partial class CatalogSignals(NpgsqlDataSource catalog, ILogger<CatalogSignals> logger) : BackgroundService
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, HashSet<Listener>> listening = new(StringComparer.Ordinal);

    public const string Pending = "pending";
    public const string Outbox = "outbox";
    public const string Feed = "feed";
    public const string Deletions = "deletions";
    public const string Webhooks = "webhooks";
    public const string Jobs = "jobs";

    public static string Of(JobId job) => "job:" + job.Value.ToString("N");

    public static string Of(BatchId batch) => "batch:" + batch.Value.ToString("N");

    /// <summary>Subscribes to a topic: signals sent from now on are seen by <see cref="Signal.WaitAsync"/>. Dispose it.</summary>
    public Signal Listen(string topic)
    {
        var wakeUps = new WakeUps();
        return new(wakeUps, Listen(topic, wakeUps));
    }

    /// <summary>The same where several topics wake one listener. Dispose the result to unsubscribe from this one.</summary>
    public IDisposable Listen(string topic, WakeUps wakeUps)
    {
        var listener = new Listener(this, topic, wakeUps);
        lock (gate)
        {
            if (!listening.TryGetValue(topic, out var listeners))
                listening[topic] = listeners = [];
            listeners.Add(listener);
        }

        return listener;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(CatalogSignals), LoopAsync, logger, stoppingToken);

    private async Task LoopAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await catalog.OpenConnectionAsync(stoppingToken);
                connection.Notification += (_, notification) => Wake(notification.Payload);
                await using (var listen = new NpgsqlCommand("LISTEN claimcheck", connection))
                    await listen.ExecuteNonQueryAsync(stoppingToken);
                WakeAll(); // signals that were sent while nobody listened
                while (true)
                    await connection.WaitAsync(stoppingToken);
            }
            catch (Exception e) when (DatabaseFailure.Is(e) && !stoppingToken.IsCancellationRequested)
            {
                Log.Lost(logger, e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private void Wake(string topic)
    {
        lock (gate)
        {
            foreach (var listener in listening.GetValueOrDefault(topic, []))
                listener.WakeUps.Set();
        }
    }

    private void WakeAll()
    {
        lock (gate)
        {
            foreach (var listener in listening.Values.SelectMany(listeners => listeners))
                listener.WakeUps.Set();
        }
    }

    private void Forget(Listener listener)
    {
        lock (gate)
        {
            if (listening.TryGetValue(listener.Topic, out var listeners) && listeners.Remove(listener) && listeners.Count == 0)
                listening.Remove(listener.Topic);
        }
    }

    private sealed class Listener(CatalogSignals owner, string topic, WakeUps wakeUps) : IDisposable
    {
        public string Topic => topic;

        public WakeUps WakeUps => wakeUps;

        public void Dispose() => owner.Forget(this);
    }

    /// <summary>One listener's wake-ups; several that arrived before a wait count as one.</summary>
    internal sealed class WakeUps
    {
        private readonly Channel<bool> wakeUps =
            Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        public void Set() => wakeUps.Writer.TryWrite(true);

        /// <summary>Waits for a wake-up, at most this long.</summary>
        /// <returns>False when the time was up.</returns>
        public async Task<bool> WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
        {
            if (wakeUps.Reader.TryRead(out _))
                return true;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(atMost);
            try
            {
                return await wakeUps.Reader.ReadAsync(limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return false;
            }
        }
    }

    /// <summary>A listener of one topic.</summary>
    internal sealed class Signal(WakeUps wakeUps, IDisposable listener) : IDisposable
    {
        public void Set() => wakeUps.Set();

        /// <inheritdoc cref="WakeUps.WaitAsync"/>
        public Task<bool> WaitAsync(TimeSpan atMost, CancellationToken cancellationToken) =>
            wakeUps.WaitAsync(atMost, cancellationToken);

        public void Dispose() => listener.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Listening to the catalog was interrupted ({Reason}); it is tried again.")]
        public static partial void Lost(ILogger logger, string reason);
    }
}
