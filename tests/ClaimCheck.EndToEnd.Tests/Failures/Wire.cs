using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>The way to a database, which a test can cut.</summary>
internal sealed class Wire : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, TcpClient> open = [];
    private readonly NpgsqlConnectionStringBuilder target;
    private readonly Task accepting;
    private volatile bool isCut;
    private int losesCommit;

    public Wire(string connectionString)
    {
        target = new NpgsqlConnectionStringBuilder(connectionString);
        listener.Start();
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = "127.0.0.1",
            Port = ((IPEndPoint)listener.LocalEndpoint).Port,
        }.ConnectionString;
        accepting = AcceptAsync();
    }

    /// <summary>The database, by this way.</summary>
    public string ConnectionString { get; }

    /// <summary>All connections break, and no new ones are to be had.</summary>
    public void Cut()
    {
        isCut = true;
        foreach (var (near, far) in open)
        {
            Reset(near);
            Reset(far);
        }
    }

    public void Mend() => isCut = false;

    /// <summary>The next commit takes effect, but its answer is lost, with its connection.</summary>
    public void LoseNextCommit() => Volatile.Write(ref losesCommit, 1);

    public bool HasLostCommit => Volatile.Read(ref losesCommit) == 0;

    public async ValueTask DisposeAsync()
    {
        Cut();
        listener.Dispose();
        await accepting;
    }

    private async Task AcceptAsync()
    {
        var served = new List<Task>();
        try
        {
            while (true)
                served.Add(ServeAsync(await listener.AcceptTcpClientAsync()));
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException) // it was stopped
        {
            Cut();
            await Task.WhenAll(served);
        }
    }

    private async Task ServeAsync(TcpClient near)
    {
        using var far = new TcpClient();
        try
        {
            await far.ConnectAsync(target.Host!, target.Port);
            open[near] = far;
            if (isCut)
                return;
            var losing = false;
            await Task.WhenAny(
                PumpAsync(near, far, bytes =>
                {
                    losing |= bytes.AsSpan().IndexOf("COMMIT"u8) >= 0 && Interlocked.Exchange(ref losesCommit, 0) == 1;
                    return true;
                }),
                PumpAsync(far, near, _ => !losing));
        }
        catch (Exception e) when (IsEnd(e))
        {
            // Cut.
        }
        finally
        {
            open.TryRemove(near, out _);
            Reset(near);
            Reset(far);
        }
    }

    private static async Task PumpAsync(TcpClient from, TcpClient to, Func<byte[], bool> passes)
    {
        try
        {
            var buffer = new byte[64 << 10];
            while (await from.GetStream().ReadAsync(buffer) is var count and > 0)
            {
                if (!passes(buffer[..count]))
                    return;
                await to.GetStream().WriteAsync(buffer.AsMemory(0, count));
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // Cut.
        }
    }

    private static bool IsEnd(Exception e) =>
        e is IOException or SocketException or ObjectDisposedException or InvalidOperationException;

    private static void Reset(TcpClient client)
    {
        try
        {
            client.Client?.Close(0); // no lingering: the other end sees a reset
            client.Dispose();
        }
        catch (Exception e) when (IsEnd(e))
        {
            // Closed already.
        }
    }
}
