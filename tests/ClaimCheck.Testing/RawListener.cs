using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ClaimCheck.Testing;

/// <summary>A port of loopback where a test decides what each connection meets: TLS with an odd certificate, bytes that are no
/// HTTP, a proxy that refuses.</summary>
public sealed class RawListener : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Func<Stream, Task> meet;
    private readonly Task accepting;
    private int connections;

    /// <param name="meet">What a connection meets; it is closed behind it.</param>
    public RawListener(Func<Stream, Task> meet)
    {
        this.meet = meet;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>How many connections there were.</summary>
    public int Connections => Volatile.Read(ref connections);

    /// <summary>One that answers the same to whatever comes.</summary>
    public static RawListener Answering(string answer) => new(async stream =>
    {
        _ = await stream.ReadAtLeastAsync(new byte[64 << 10], 1, throwOnEndOfStream: false);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(answer));
    });

    /// <summary>One that speaks TLS with a certificate of its own making.</summary>
    /// <param name="name">Whose it is.</param>
    /// <param name="from">When it becomes valid, counted in days from now; it lives for two.</param>
    public static RawListener WithCertificate(string name, int from)
    {
        var certificate = Certificate(name, from);
        return new(async stream =>
        {
            await using var tls = new SslStream(stream, leaveInnerStreamOpen: true);
            await tls.AuthenticateAsServerAsync(certificate);
            _ = await tls.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false);
        });
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await accepting; // first: a listener that was stopped refuses to accept
        stop.Dispose();
        listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
                open.Add(MeetAsync(await listener.AcceptTcpClientAsync(stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The test is over.
        }

        await Task.WhenAll(open);
    }

    private async Task MeetAsync(TcpClient client)
    {
        Interlocked.Increment(ref connections);
        try
        {
            using (client)
            {
                await meet(client.GetStream()).WaitAsync(stop.Token);
                // Closed in good order, so that what was written arrives.
                client.Client.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException
            or System.Security.Authentication.AuthenticationException)
        {
            // The other side has left, as it should.
        }
    }

    private static X509Certificate2 Certificate(string name, int from)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        var begin = TimeProvider.System.GetUtcNow().AddDays(from);
        return request.CreateSelfSigned(begin, begin.AddDays(2));
    }
}
