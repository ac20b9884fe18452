using System.Net.Sockets;

namespace ClaimCheck.Service.Sources;

/// <summary>A blocking connection to a server, which lets the kernel wait until there is enough to read.</summary>
internal sealed class ServerSocket : IDisposable
{
    private const int SolSocket = 1;
    private const int SoReceiveLowWater = 18;

    // What is there after that long is taken, however little it is: a slow source, or the end.
    private const int PatienceMilliseconds = 5;

    private readonly Socket socket;
    private int lowWater = 1;

    private ServerSocket(Socket socket) => this.socket = socket;

    /// <param name="host">A host, an address, or a folder with a socket.</param>
    /// <param name="port">The server's port.</param>
    public static ServerSocket Connect(string host, int port)
    {
        var isFolder = host is ['/', ..];
        var opened = isFolder
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // The connect heeds it too.
            opened.SendTimeout = (int)SourceDatabases.ConnectTimeout.TotalMilliseconds;
            if (isFolder)
            {
                opened.Connect(new UnixDomainSocketEndPoint(Path.Combine(host, $".s.PGSQL.{port}")));
            }
            else
            {
                opened.Connect(host, port);
                opened.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            }

            opened.SendTimeout = 0;
            return new(opened);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Sends to any socket, all of it.</summary>
    public static void Send(Socket to, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[to.Send(bytes)..];
    }

    // Synchronously: an asynchronous call would make the socket a non-blocking one for good.
    public void Send(ReadOnlySpan<byte> bytes) => Send(socket, bytes);

    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    /// <summary>Waits until that much is there, or for a moment, or else for the first byte.</summary>
    /// <returns>0 at the end of the connection.</returns>
    public int Receive(Span<byte> space, int atLeast)
    {
        if (atLeast > 1 && Wait(space, atLeast, PatienceMilliseconds) is var count and >= 0)
            return count;
        return Wait(space, 1, 0);
    }

    public void Dispose() => socket.Dispose();

    // -1 where nothing came in time.
    private int Wait(Span<byte> space, int atLeast, int milliseconds)
    {
        if (atLeast != lowWater)
        {
            socket.SetRawSocketOption(SolSocket, SoReceiveLowWater, BitConverter.GetBytes(atLeast));
            socket.ReceiveTimeout = milliseconds;
            lowWater = atLeast;
        }

        var count = socket.Receive(space, SocketFlags.None, out var error);
        return error switch
        {
            SocketError.Success => count,
            SocketError.TimedOut or SocketError.WouldBlock => -1,
            _ => throw new SocketException((int)error),
        };
    }
}
