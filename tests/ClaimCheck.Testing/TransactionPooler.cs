using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace ClaimCheck.Testing;

/// <summary>
/// A pooler before a database that lends its one session out by the transaction: any number of clients share it, one at a time.
/// The database must trust its user.
/// </summary>
internal sealed class TransactionPooler : Interposed
{
    private const byte ReadyForQuery = (byte)'Z';
    private const int Version3 = 3 << 16;

    private readonly SemaphoreSlim lent = new(1);
    private readonly TcpClient server = new() { NoDelay = true };
    private byte[] greeting = [];

    private TransactionPooler(string database)
    {
        ConnectionString = new NpgsqlConnectionStringBuilder(database) { Port = Port, Pooling = true }.ConnectionString;
    }

    /// <summary>The database, through the pooler.</summary>
    public string ConnectionString { get; }

    public static async Task<TransactionPooler> BeforeAsync(string database)
    {
        var way = new NpgsqlConnectionStringBuilder(database);
        var pooler = new TransactionPooler(database);
        await pooler.server.ConnectAsync(way.Host!, way.Port);
        var words = Encoding.UTF8.GetBytes($"user\0{way.Username}\0database\0{way.Database}\0client_encoding\0UTF8\0\0");
        var start = new byte[8 + words.Length];
        BinaryPrimitives.WriteInt32BigEndian(start, start.Length);
        BinaryPrimitives.WriteInt32BigEndian(start.AsSpan(4), Version3);
        words.CopyTo(start, 8);
        await pooler.server.GetStream().WriteAsync(start);
        var all = new MemoryStream();
        while (true)
        {
            var message = await MessageAsync(pooler.server.GetStream(), default);
            all.Write(message);
            if (message[0] != ReadyForQuery)
                continue;
            pooler.greeting = all.ToArray();
            pooler.Accept();
            return pooler;
        }
    }

    protected override void Close()
    {
        server.Dispose();
        lent.Dispose();
    }

    protected override async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        client.NoDelay = true;
        var isLent = false;
        try
        {
            var near = client.GetStream();
            if (!await IsStartedAsync(near))
                return;
            await near.WriteAsync(greeting, Closing);
            while (true)
            {
                var message = await MessageAsync(near, Closing);
                if (message[0] == 'X')
                    return;
                if (!isLent)
                    await lent.WaitAsync(Closing);
                isLent = true;
                await server.GetStream().WriteAsync(message, Closing);
                if (message[0] is not ((byte)'Q' or (byte)'S'))
                    continue;
                if (await AnswerAsync(near) != 'I')
                    continue; // in a transaction: it stays with this client
                isLent = false;
                lent.Release();
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // One side has gone.
        }
        finally
        {
            if (isLent)
            {
                await RollBackAsync();
                lent.Release();
            }
        }
    }

    // To its end, also where the client has gone: the next one must not find the rest.
    private async Task<byte> AnswerAsync(NetworkStream near)
    {
        IOException? gone = null;
        while (true)
        {
            var message = await MessageAsync(server.GetStream(), Closing);
            try
            {
                if (gone is null)
                    await near.WriteAsync(message, Closing);
            }
            catch (IOException e)
            {
                gone = e;
            }

            if (message[0] == ReadyForQuery)
                return gone is null ? message[5] : throw gone;
        }
    }

    // What a client left open.
    private async Task RollBackAsync()
    {
        byte[] rollback = [(byte)'Q', 0, 0, 0, 13, .. "ROLLBACK\0"u8];
        try
        {
            await server.GetStream().WriteAsync(rollback, Closing);
            while ((await MessageAsync(server.GetStream(), Closing))[0] != ReadyForQuery)
            {
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The pooler is closed, and its session with it.
        }
    }

    // https://www.postgresql.org/docs/current/protocol-message-formats.html
    private async Task<bool> IsStartedAsync(NetworkStream near)
    {
        while (true)
        {
            var head = new byte[8];
            await near.ReadExactlyAsync(head, Closing);
            var rest = new byte[BinaryPrimitives.ReadInt32BigEndian(head) - head.Length];
            await near.ReadExactlyAsync(rest, Closing);
            var code = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4));
            if (code == Version3)
                return true;
            if (rest.Length > 0)
                return false; // a request to cancel
            await near.WriteAsync("N"u8.ToArray(), Closing); // no TLS, no GSS
        }
    }

    private static async Task<byte[]> MessageAsync(NetworkStream from, CancellationToken cancellationToken)
    {
        var head = new byte[5];
        await from.ReadExactlyAsync(head, cancellationToken);
        var message = new byte[1 + BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
        head.CopyTo(message, 0);
        await from.ReadExactlyAsync(message.AsMemory(5), cancellationToken);
        return message;
    }
}
