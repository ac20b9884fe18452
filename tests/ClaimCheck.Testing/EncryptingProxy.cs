using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Npgsql;

namespace ClaimCheck.Testing;

/// <summary>Offers TLS in front of a Postgres that has none, as a pooler may: the server itself sees plain connections.</summary>
internal sealed class EncryptingProxy : Interposed
{
    private const int RequestBytes = 8;

    private readonly NpgsqlConnectionStringBuilder server;
    private readonly X509Certificate2 certificate;

    private EncryptingProxy(string database)
    {
        server = new(database);
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        certificate = request.CreateSelfSigned(
            TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
    }

    public string ConnectionString => new NpgsqlConnectionStringBuilder(server.ConnectionString)
    {
        Host = "127.0.0.1",
        Port = Port,
        SslMode = SslMode.Prefer,
        GssEncryptionMode = GssEncryptionMode.Disable,
    }.ConnectionString;

    public static EncryptingProxy Before(string database)
    {
        var proxy = new EncryptingProxy(database);
        proxy.Accept();
        return proxy;
    }

    protected override async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                using var behind = new TcpClient();
                await behind.ConnectAsync(server.Host!, server.Port, Closing);
                var asked = client.GetStream();
                await asked.ReadExactlyAsync(new byte[RequestBytes], Closing); // for TLS: nothing else begins a connection here
                await asked.WriteAsync("S"u8.ToArray(), Closing);
                await using var secure = new SslStream(asked);
                await secure.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions { ServerCertificate = certificate }, Closing);
                await Task.WhenAny(
                    secure.CopyToAsync(behind.GetStream(), Closing), behind.GetStream().CopyToAsync(secure, Closing));
            }
            catch (Exception e) when (IsEnd(e))
            {
                // Either side has gone.
            }
        }
    }

    protected override void Close() => certificate.Dispose();
}
