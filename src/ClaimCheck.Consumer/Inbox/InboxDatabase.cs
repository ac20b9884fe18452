using System.Net.Sockets;
using System.Security.Authentication;
using ClaimCheck.Consumer.Databases;

namespace ClaimCheck.Consumer.Inbox;

/// <summary>The inbox's Postgres: connections, tables at first use, and which failures are transient.</summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "A SemaphoreSlim has nothing to dispose of unless its wait handle is asked for.")]
internal sealed class InboxDatabase(InboxOptions options) : IAsyncDisposable
{
    // One process creates the tables while the others wait: CREATE … IF NOT EXISTS does not protect against a race.
    private const long ScriptLock = 0x636c61696d636b;
    private static readonly TimeSpan ShortestIdle = TimeSpan.FromSeconds(5);

    private readonly NpgsqlDataSource source = Source(options.ConnectionString);
    private readonly string clientEncoding = new NpgsqlConnectionStringBuilder(options.ConnectionString).ClientEncoding ?? "UTF8";
    private readonly SemaphoreSlim preparing = new(1);
    private volatile bool isPrepared;

    /// <summary>A connection to a database whose tables exist; the caller disposes it.</summary>
    /// <exception cref="InboxUnavailableException">It can't be reached now.</exception>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            var connection = await source.OpenConnectionAsync(cancellationToken);
            try
            {
                if (!isPrepared)
                    await PrepareAsync(connection, cancellationToken);
                return connection;
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        }
        catch (Exception e) when (Passes(e) || IsNotGranted(e))
        {
            throw Unavailable(e);
        }
    }

    /// <summary>Runs work in one transaction.</summary>
    /// <param name="work">The work.</param>
    /// <param name="cancellationToken">Rolls it back.</param>
    /// <param name="mayIdle">Whether it waits for more than the database: it calls a handler.</param>
    /// <exception cref="InboxUnavailableException">It can't be done now.</exception>
    public async Task<T> TransactAsync<T>(
        Func<NpgsqlTransaction, Task<T>> work, CancellationToken cancellationToken, bool mayIdle = false)
    {
        await using var connection = await OpenAsync(cancellationToken);
        try
        {
            await using var transaction = await BeginAsync(connection, mayIdle, cancellationToken);
            var result = await work(transaction);
            await transaction.CommitAsync(cancellationToken);
            return result;
        }
        catch (Exception e) when (Passes(e) || (!mayIdle && IsNotGranted(e)))
        {
            throw Unavailable(e);
        }
    }

    /// <summary>
    /// Begins a transaction whose texts are sent and read in the encoding that the driver uses. That is set in the transaction
    /// itself: a pooler may drop what a connection string asks for, and the texts would be stored garbled.
    /// </summary>
    /// <param name="connection">Open, in no transaction.</param>
    /// <param name="mayIdle">Whether it waits for more than the database. If not, a process that is paused between two statements
    /// would keep its locks, and a process that takes its batch over would wait for them for ever: the server ends the
    /// transaction instead.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task<NpgsqlTransaction> BeginAsync(
        NpgsqlConnection connection, bool mayIdle, CancellationToken cancellationToken)
    {
        const string encoding = "SELECT set_config('client_encoding', @encoding, true)";
        const string both = $"{encoding}, set_config('idle_in_transaction_session_timeout', @limit, true)";
        var transaction = await connection.BeginTransactionAsync(cancellationToken);
        try
        {
            await using var set = new NpgsqlCommand(mayIdle ? encoding : both, connection, transaction);
            set.Parameters.AddWithValue("encoding", clientEncoding);
            var idle = options.Lease > ShortestIdle ? options.Lease : ShortestIdle;
            if (!mayIdle)
                set.Parameters.AddWithValue("limit", $"{(long)idle.TotalMilliseconds}ms");
            await set.ExecuteNonQueryAsync(cancellationToken);
            return transaction;
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }

    public static InboxUnavailableException Unavailable(Exception e, BatchId? batch = null) => new(
        $"The inbox's Postgres can't be used now. {DatabaseFailure.Of(e).Text}", batch, e);

    /// <summary>Whether a failure is the server's or the connection's, and not the request's.</summary>
    public static bool Passes(Exception e) => e switch
    {
        PostgresException => DatabaseFailure.Of(e).Passes,
        NpgsqlException or SocketException or AuthenticationException or TimeoutException or IOException => true,
        _ => false,
    };

    // The inbox's own statements, on its own tables: somebody has to grant permissions or create the tables, and batches wait for
    // that.
    private static bool IsNotGranted(Exception e) =>
        e is PostgresException && DatabaseFailure.Of(e).Trouble is Trouble.Permission or Trouble.Definition;

    public ValueTask DisposeAsync() => source.DisposeAsync();

    private async Task PrepareAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await preparing.WaitAsync(cancellationToken);
        try
        {
            if (!isPrepared && options.CreateTables && !await HasTablesAsync(connection, cancellationToken))
                await CreateAsync(connection, cancellationToken);
            isPrepared = true;
        }
        finally
        {
            preparing.Release();
        }
    }

    private static async Task<bool> HasTablesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT to_regclass('claimcheck.inbox_cursors') IS NOT NULL", connection);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var locking = new NpgsqlCommand("SELECT pg_advisory_xact_lock(@key)", connection, transaction))
        {
            locking.Parameters.AddWithValue("key", ScriptLock);
            await locking.ExecuteNonQueryAsync(cancellationToken);
        }
        await using (var script = new NpgsqlCommand(InboxScript.Sql, connection, transaction))
            await script.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static NpgsqlDataSource Source(string connectionString)
    {
        var settings = ConnectionText.Read(connectionString);
        settings.PersistSecurityInfo = false;
        if (settings.MaxAutoPrepare == 0)
            settings.MaxAutoPrepare = 32;
        settings.ApplicationName ??= "ClaimCheck inbox";
        return NpgsqlDataSource.Create(settings);
    }
}
