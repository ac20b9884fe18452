using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ClaimCheck.Testing;

/// <summary>
/// A proxy as a network has it at its border: CONNECT for TLS, whole addresses for plain HTTP. It alone knows the names that it
/// is made with, lets nobody go elsewhere, and may want a password.
/// </summary>
internal sealed class ForwardProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource closing = new();
    private readonly IReadOnlyDictionary<string, Uri> names;
    private readonly string? authorization;
    private readonly ConcurrentQueue<string> asked = new();
    private readonly ConcurrentBag<Task> connections = [];
    private readonly Task accepting;

    /// <param name="names">Where names lead.</param>
    /// <param name="password">As <c>user:password</c>; null: it asks for none.</param>
    public ForwardProxy(IReadOnlyDictionary<string, Uri> names, string? password = null)
    {
        this.names = names;
        authorization = password is null ? null : "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(password));
        listener.Start();
        accepting = AcceptAsync();
    }

    public Uri Url => new($"http://{listener.LocalEndpoint}");

    /// <summary>What was asked for, as in <c>CONNECT name:443</c> and <c>GET http://name/</c> without the path.</summary>
    public IReadOnlyCollection<string> Asked => asked;

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        listener.Stop();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(connections).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
            connections.Add(ServeAsync(await listener.AcceptTcpClientAsync(closing.Token)));
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await using var stream = client.GetStream();
                var head = await ReadHeadAsync(stream);
                if (head.Length == 0)
                    return;
                var lines = head.Split("\r\n");
                var (method, target) = (lines[0].Split(' ')[0], lines[0].Split(' ')[1]);
                var isTunnel = method == "CONNECT";
                var address = isTunnel ? new Uri($"https://{target}") : new Uri(target);
                asked.Enqueue(isTunnel ? $"{method} {target}" : $"{method} {address.GetLeftPart(UriPartial.Authority)}");
                if (authorization is not null
                    && !lines.Contains($"Proxy-Authorization: {authorization}", StringComparer.OrdinalIgnoreCase))
                    await WriteAsync(stream, "HTTP/1.1 407 Say who you are\r\nProxy-Authenticate: Basic realm=\"border\"\r\n"
                        + "Content-Length: 0\r\nConnection: close\r\n\r\n");
                else if (!names.TryGetValue(address.Host, out var to))
                    await WriteAsync(stream, "HTTP/1.1 403 Not that way\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                else
                    await PassAsync(stream, to, isTunnel ? null : Direct(lines, address));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // One side has gone.
            }
        }
    }

    private async Task PassAsync(NetworkStream near, Uri to, string? head)
    {
        using var far = new TcpClient();
        await far.ConnectAsync(to.Host, to.Port, closing.Token);
        await using var stream = far.GetStream();
        if (head is null)
            await WriteAsync(near, "HTTP/1.1 200 Connection established\r\n\r\n");
        else
            await WriteAsync(stream, head);
        var there = near.CopyToAsync(stream, closing.Token);
        var back = stream.CopyToAsync(near, closing.Token);
        await Task.WhenAny(there, back);
        near.Close();
        far.Close();
        await Task.WhenAll(there, back).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // One request for a connection: what follows in it is passed without a look.
    private static string Direct(string[] lines, Uri address)
    {
        var kept = lines.Skip(1).Where(line => line.Length > 0
            && !line.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase)
            && !line.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase));
        return $"{lines[0].Split(' ')[0]} "
            + $"{lines[0].Split(' ')[1][address.GetLeftPart(UriPartial.Authority).Length..]} HTTP/1.1\r\n"
            + string.Concat(kept.Select(line => line + "\r\n")) + "Connection: close\r\n\r\n";
    }

    private async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, closing.Token) == 0)
                return "";
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    private Task WriteAsync(NetworkStream stream, string text) =>
        stream.WriteAsync(Encoding.Latin1.GetBytes(text), closing.Token).AsTask();
}
