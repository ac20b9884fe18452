using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ClaimCheck.Adapter.Tests.Locations;

/// <summary>Stands between a client and a server on loopback, and can cut what it carries.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<TcpClient> carried = [];
    private readonly Task accepting;
    private readonly int to;

    public Relay(int to)
    {
        this.to = to;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public int Connections { get; private set; }

    public void Cut()
    {
        foreach (var client in carried)
            client.Close();
    }

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        Cut();
        await accepting;
    }

    private async Task AcceptAsync()
    {
        var pumps = new List<Task>();
        try
        {
            while (true)
            {
                var here = await listener.AcceptTcpClientAsync();
                var there = new TcpClient();
                await there.ConnectAsync(IPAddress.Loopback, to);
                Connections++;
                carried.Add(here);
                carried.Add(there);
                pumps.Add(PumpAsync(here, there));
                pumps.Add(PumpAsync(there, here));
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException) // it was stopped
        {
            await Task.WhenAll(pumps);
        }
    }

    private static async Task PumpAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream());
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut.
        }
        finally
        {
            to.Close();
        }
    }
}
