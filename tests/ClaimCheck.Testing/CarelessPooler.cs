using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace ClaimCheck.Testing;

/// <summary>
/// A pooler before a database that drops all that a session asks for at its start but user and database; and the database is set
/// up so that values look as different as they can. Nothing is pooled.
/// </summary>
internal sealed class CarelessPooler : Interposed
{
    private const int SslRequest = 80877103;
    private const int GssRequest = 80877104;
    private const int Version3 = 3 << 16;

    private readonly NpgsqlConnectionStringBuilder target;

    private CarelessPooler(string database)
    {
        target = new(database);
        ConnectionString = new NpgsqlConnectionStringBuilder(database) { Host = "127.0.0.1", Port = Port }.ConnectionString;
        Accept();
    }

    /// <summary>The database, through the pooler.</summary>
    public string ConnectionString { get; }

    public static async Task<CarelessPooler> BeforeAsync(string database)
    {
        var name = new NpgsqlConnectionStringBuilder(database).Database;
        var settings = (string[])
        [
            "TimeZone = 'Asia/Tokyo'", "DateStyle = 'SQL, DMY'", "IntervalStyle = 'postgres_verbose'", "extra_float_digits = -6",
            "bytea_output = 'escape'",
            "client_encoding = 'LATIN1'", "standard_conforming_strings = off", "array_nulls = off", "quote_all_identifiers = on",
            "xmlbinary = 'hex'",
            "xmloption = 'document'",
        ];
        await Scene.SqlAsync(database, string.Concat(settings.Select(setting => $"ALTER DATABASE {name} SET {setting};")));
        return new(database);
    }

    protected override async Task ServeAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient { NoDelay = true };
        near.NoDelay = true;
        try
        {
            await far.ConnectAsync(target.Host!, target.Port, Closing);
            await far.GetStream().WriteAsync(await StartAsync(near.GetStream()), Closing);
            await Task.WhenAny(
                near.GetStream().CopyToAsync(far.GetStream(), Closing), far.GetStream().CopyToAsync(near.GetStream(), Closing));
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
            await client.ReadExactlyAsync(head, Closing);
            var rest = new byte[BinaryPrimitives.ReadInt32BigEndian(head) - head.Length];
            await client.ReadExactlyAsync(rest, Closing);
            switch (BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4)))
            {
                case SslRequest or GssRequest:
                    await client.WriteAsync("N"u8.ToArray(), Closing);
                    continue;
                case Version3:
                    var words = Encoding.UTF8.GetString(rest).Split('\0');
                    var kept = string.Concat(words.Chunk(2).Where(pair => pair[0] is "user" or "database")
                        .Select(pair => $"{pair[0]}\0{pair[1]}\0")) + "\0";
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
}
