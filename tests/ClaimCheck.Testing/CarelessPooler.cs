using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace ClaimCheck.Testing;

/// <summary>
/// A pooler before a database that drops all that a session asks for at its start but user and database; and the database is set up so
/// that values look as different as they can. Nothing is pooled.
/// </summary>
internal sealed class CarelessPooler : IAsyncDisposable
{
    private const int SslRequest = 80877103;
    private const int GssRequest = 80877104;
    private const int Version3 = 3 << 16;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource closing = new();
    private readonly NpgsqlConnectionStringBuilder target;
    private readonly Task accepting;

    private CarelessPooler(string database)
    {
        target = new(database);
        listener.Start();
        ConnectionString = new NpgsqlConnectionStringBuilder(database) { Host = "127.0.0.1", Port = ((IPEndPoint)listener.LocalEndpoint).Port }.ConnectionString;
        accepting = AcceptAsync();
    }

    /// <summary>The database, through the pooler.</summary>
    public string ConnectionString { get; }

    public static async Task<CarelessPooler> BeforeAsync(string database)
    {
        var name = new NpgsqlConnectionStringBuilder(database).Database;
        var settings = (string[])
        [
            "TimeZone = 'Asia/Tokyo'", "DateStyle = 'SQL, DMY'", "IntervalStyle = 'postgres_verbose'", "extra_float_digits = -6", "bytea_output = 'escape'",
            "client_encoding = 'LATIN1'", "standard_conforming_strings = off", "array_nulls = off", "quote_all_identifiers = on", "xmlbinary = 'hex'",
            "xmloption = 'document'",
        ];
        await Scene.SqlAsync(database, string.Concat(settings.Select(setting => $"ALTER DATABASE {name} SET {setting};")));
        return new(database);
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        listener.Dispose();
        await accepting;
        closing.Dispose();
    }

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

    private async Task ServeAsync(TcpClient near)
    {
        using var _ = near;
        using var far = new TcpClient { NoDelay = true };
        near.NoDelay = true;
        try
        {
            await far.ConnectAsync(target.Host!, target.Port, closing.Token);
            await far.GetStream().WriteAsync(await StartAsync(near.GetStream()), closing.Token);
            await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream(), closing.Token), far.GetStream().CopyToAsync(near.GetStream(), closing.Token));
        }
        catch (Exception e) when (IsEnd(e))
        {
            // One side has gone.
        }
    }

    // https://www.postgresql.org/docs/current/protocol-message-formats.html, StartupMessage
    private async Task<byte[]> StartAsync(NetworkStream client)
    {
        while (true)
        {
            var head = new byte[8];
            await client.ReadExactlyAsync(head, closing.Token);
            var rest = new byte[BinaryPrimitives.ReadInt32BigEndian(head) - head.Length];
            await client.ReadExactlyAsync(rest, closing.Token);
            switch (BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4)))
            {
                case SslRequest or GssRequest:
                    await client.WriteAsync("N"u8.ToArray(), closing.Token);
                    continue;
                case Version3:
                    var words = Encoding.UTF8.GetString(rest).Split('\0');
                    var kept = string.Concat(words.Chunk(2).Where(pair => pair[0] is "user" or "database").Select(pair => $"{pair[0]}\0{pair[1]}\0")) + "\0";
                    var message = new byte[head.Length + Encoding.UTF8.GetByteCount(kept)];
                    BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
                    BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), Version3);
                    Encoding.UTF8.GetBytes(kept, message.AsSpan(8));
                    return message;
                default:
                    return [.. head, .. rest]; // a request to cancel
            }
        }
    }

    private static bool IsEnd(Exception e) => e is IOException or SocketException or ObjectDisposedException or OperationCanceledException;
}
