using System.Threading.Channels;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Hosting;
using Npgsql;

namespace ClaimCheck.Service.Catalog;

/// <summary>
/// Wake-ups from the catalog (LISTEN/NOTIFY on one connection). They only save waiting: whoever waits also looks again by
/// itself, so a lost notification costs time, never correctness.
/// </summary>
internal sealed partial class CatalogSignals(NpgsqlDataSource catalog, ILogger<CatalogSignals> logger) : BackgroundService
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, List<Signal>> waiting = new(StringComparer.Ordinal);

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
        var signal = new Signal(this, topic);
        lock (gate)
        {
            if (!waiting.TryGetValue(topic, out var signals))
                waiting[topic] = signals = [];
            signals.Add(signal);
        }

        return signal;
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
            if (waiting.TryGetValue(topic, out var signals))
                signals.ForEach(signal => signal.Set());
        }
    }

    private void WakeAll()
    {
        lock (gate)
        {
            foreach (var signals in waiting.Values)
                signals.ForEach(signal => signal.Set());
        }
    }

    private void Forget(Signal signal)
    {
        lock (gate)
        {
            if (waiting.TryGetValue(signal.Topic, out var signals) && signals.Remove(signal) && signals.Count == 0)
                waiting.Remove(signal.Topic);
        }
    }

    /// <summary>One listener's wake-ups; several that came before a wait count as one.</summary>
    internal sealed class Signal(CatalogSignals owner, string topic) : IDisposable
    {
        private readonly Channel<bool> wakeUps =
            Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        public string Topic => topic;

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

        public void Dispose() => owner.Forget(this);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Listening to the catalog was interrupted ({Reason}); it is tried again.")]
        public static partial void Lost(ILogger logger, string reason);
    }
}
