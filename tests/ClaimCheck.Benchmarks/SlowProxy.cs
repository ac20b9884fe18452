using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ClaimCheck.Benchmarks;

/// <summary>Stands before a server, and lets each connection receive so many bytes a second.</summary>
internal sealed class SlowProxy : IAsyncDisposable
{
    // What a late wake-up of a timer lost may be caught up.
    private static readonly TimeSpan Credit = TimeSpan.FromMilliseconds(50);
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource closing = new();
    private readonly string host;
    private readonly int port;
    private readonly long rate;
    private readonly Task accepting;

    public SlowProxy(string host, int port, long rate)
    {
        (this.host, this.port, this.rate) = (host, port, rate);
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        listener.Stop();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(ServeAsync(await listener.AcceptTcpClientAsync(closing.Token)));
        }
        finally
        {
            await Task.WhenAll(connections).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        await far.ConnectAsync(host, port, closing.Token);
        (near.NoDelay, far.NoDelay) = (true, true);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(closing.Token);
        var both = new[]
        {
            near.GetStream().CopyToAsync(far.GetStream(), ended.Token),
            SlowlyAsync(far.GetStream(), near.GetStream(), ended.Token),
        };
        await Task.WhenAny(both);
        await ended.CancelAsync();
        await Task.WhenAll(both).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task SlowlyAsync(NetworkStream from, NetworkStream to, CancellationToken cancellationToken)
    {
        var buffer = new byte[1 << 16];
        var watch = Stopwatch.StartNew();
        var due = TimeSpan.Zero;
        for (int read; (read = await from.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            var earliest = watch.Elapsed - Credit;
            due = (due > earliest ? due : earliest) + TimeSpan.FromSeconds((double)read / rate);
            if (due - watch.Elapsed is var wait && wait > TimeSpan.FromMilliseconds(1))
                await Task.Delay(wait, cancellationToken);
        }
    }
}
