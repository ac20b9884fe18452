using System.Net.Sockets;

namespace ClaimCheck.Service.Publishing.Webhooks;

/// <summary>Connects to one address.</summary>
internal delegate Task<Stream> ConnectTo(IPEndPoint address, CancellationToken cancellationToken);

/// <summary>Connects to the first of several addresses that answers: the next one is tried as soon as one fails, or has been
/// silent for 250 ms, while the earlier ones continue. https://www.rfc-editor.org/rfc/rfc8305</summary>
internal sealed class ConnectionRace(ConnectTo connect, TimeProvider time)
{
    /// <summary>The Connection Attempt Delay that RFC 8305, 5 recommends.</summary>
    internal static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(250);

    /// <exception cref="IOException">None answers.</exception>
    /// <exception cref="SocketException">None answers.</exception>
    public async Task<Stream> ConnectAsync(IReadOnlyList<IPAddress> addresses, int port, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waiting = new Queue<IPAddress>(Interleaved(addresses));
        var running = new List<Task<Stream>>();
        try
        {
            var failed = Task.FromException<Stream>(new SocketException((int)SocketError.HostNotFound));
            while (waiting.Count > 0 || running.Count > 0)
            {
                if (waiting.TryDequeue(out var address))
                    running.Add(connect(new(address, port), stop.Token));
                var end = await EndOfOneAsync(running, isLast: waiting.Count == 0, stop.Token);
                cancellationToken.ThrowIfCancellationRequested();
                while (end is { IsCompletedSuccessfully: false })
                {
                    running.Remove(failed = end);
                    // Where none is left to start, the others are waited for.
                    end = waiting.Count > 0 || running.Count == 0 ? null : await Task.WhenAny(running);
                }

                if (end is null)
                    continue;
                running.Remove(end);
                return await end;
            }

            return await failed;
        }
        finally
        {
            await stop.CancelAsync();
            foreach (var late in running)
                await DisposeAsync(late);
        }
    }

    /// <summary>As the resolver sorts them, but with the families alternating, so that an unreachable family costs one
    /// delay.</summary>
    internal static IEnumerable<IPAddress> Interleaved(IReadOnlyList<IPAddress> addresses)
    {
        var first = addresses.Where(address => address.AddressFamily == addresses[0].AddressFamily).ToList();
        var other = addresses.Except(first).ToList();
        for (var at = 0; at < Math.Max(first.Count, other.Count); at++)
        {
            if (at < first.Count)
                yield return first[at];
            if (at < other.Count)
                yield return other[at];
        }
    }

    /// <summary>A TCP connection.</summary>
    public static async Task<Stream> TcpAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // Null where none has ended within the delay.
    private async Task<Task<Stream>?> EndOfOneAsync(List<Task<Stream>> running, bool isLast, CancellationToken stopped) =>
        await Task.WhenAny(isLast ? running : [.. running, Task.Delay(Delay, time, stopped)]) as Task<Stream>;

    private static async Task DisposeAsync(Task<Stream> late)
    {
        try
        {
            await (await late).DisposeAsync();
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            // It lost.
        }
    }
}
