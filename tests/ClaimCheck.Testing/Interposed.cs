using System.Net;
using System.Net.Sockets;

namespace ClaimCheck.Testing;

/// <summary>A server on loopback that stands between a test's clients and a real server.</summary>
internal abstract class Interposed : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource closing = new();
    private Task accepting = Task.CompletedTask;

    protected Interposed() => listener.Start();

    protected int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Ends with the server.</summary>
    protected CancellationToken Closing => closing.Token;

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await accepting; // first: a listener that was disposed refuses to accept
        listener.Dispose();
        Close();
        closing.Dispose();
    }

    /// <summary>To be called once all is ready to serve.</summary>
    protected void Accept() => accepting = AcceptAsync();

    /// <summary>Serves one client; it throws nothing but what <see cref="IsEnd"/> knows.</summary>
    protected abstract Task ServeAsync(TcpClient client);

    /// <summary>Closes what more there is, after the last client.</summary>
    protected virtual void Close()
    {
    }

    protected static bool IsEnd(Exception e) =>
        e is IOException or SocketException or ObjectDisposedException or OperationCanceledException;

    private async Task AcceptAsync()
    {
        var served = new List<Task>();
        try
        {
            while (true)
                served.Add(ServeAsync(await listener.AcceptTcpClientAsync(closing.Token)));
        }
        catch (Exception e) when (IsEnd(e))
        {
            await Task.WhenAll(served);
        }
    }
}
