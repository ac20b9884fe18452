using System.Threading.Channels;
using ClaimCheck.Contracts;
using Npgsql;

namespace ClaimCheck.Service.Catalog;

/// <summary>
/// Wake-ups from the catalog (LISTEN/NOTIFY on one connection). They only save waiting: whoever waits also looks again by
/// itself, so a lost notification costs time, never correctness.
/// </summary>
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

    /// <summary>Begins to listen for a topic: signals sent from now on are seen by <see cref="Signal.WaitAsync"/>. Dispose it.</summary>
    public Signal Listen(string topic)
    {
        var signal = new Signal();
        signal.Listener = Listen(topic, signal);
        return signal;
    }

    /// <summary>The same for a signal that is woken by other topics too. Dispose what is returned to hear no more of this one.</summary>
    public IDisposable Listen(string topic, Signal signal)
    {
        var listener = new Listener(this, topic, signal);
        lock (gate)
        {
            if (!listening.TryGetValue(topic, out var listeners))
                listening[topic] = listeners = [];
            listeners.Add(listener);
        }

        return listener;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await catalog.OpenConnectionAsync(stoppingToken);
                connection.Notification += (_, notification) => Wake(notification.Payload);
                await using (var listen = new NpgsqlCommand("LISTEN claimcheck", connection))
                    await listen.ExecuteNonQueryAsync(stoppingToken);
                WakeAll(); // what was sent while nobody listened
                while (true)
                    await connection.WaitAsync(stoppingToken);
            }
            catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException && !stoppingToken.IsCancellationRequested)
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
                listener.Signal.Set();
        }
    }

    private void WakeAll()
    {
        lock (gate)
        {
            foreach (var listener in listening.Values.SelectMany(listeners => listeners))
                listener.Signal.Set();
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

    private sealed class Listener(CatalogSignals owner, string topic, Signal signal) : IDisposable
    {
        public string Topic => topic;

        public Signal Signal => signal;

        public void Dispose() => owner.Forget(this);
    }

    /// <summary>One listener's wake-ups; several that came before a wait count as one.</summary>
    internal sealed class Signal : IDisposable
    {
        private readonly Channel<bool> wakeUps =
            Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        internal IDisposable? Listener { get; set; }

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

        public void Dispose() => Listener?.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Listening to the catalog was interrupted ({Reason}); it is tried again.")]
        public static partial void Lost(ILogger logger, string reason);
    }
}
