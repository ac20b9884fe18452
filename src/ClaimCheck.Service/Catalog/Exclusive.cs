using System.Data;

namespace ClaimCheck.Service.Catalog;

/// <summary>Work that one process does at a time, however many replicas run: under a session lock of the catalog. The lock and
/// the work share one connection, so that a process that lost the lock can't continue the work.</summary>
internal static partial class Exclusive
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    /// <summary>Does the work whenever the lock is free, until the service stops; the work itself is a loop.</summary>
    /// <param name="catalog">Where the lock is.</param>
    /// <param name="advisoryLock">One of <see cref="AdvisoryLocks"/>.</param>
    /// <param name="work">Gets the connection that holds the lock.</param>
    public static async Task RunAsync(
        NpgsqlDataSource catalog, long advisoryLock, Func<NpgsqlConnection, CancellationToken, Task> work, ILogger logger,
        CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await catalog.OpenConnectionAsync(stoppingToken);
                var isMine = await connection.ExecuteScalarAsync<bool>(
                    "SELECT pg_try_advisory_lock(@advisoryLock)", new { advisoryLock }, stoppingToken);
                if (!isMine)
                {
                    await Task.Delay(LookAgain, stoppingToken);
                    continue;
                }

                using var held = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                // Dapper opens a connection that it finds closed, and the lock would not be held on the new one. So the work ends
                // with the session that holds the lock, whatever closed that (a failed keep-alive, a limit on idle sessions).
                connection.StateChange += (_, change) => LoseAt(change, held);
                try
                {
                    // A process that is stuck loses the lock to another one. The driver's keep-alive is more frequent.
                    await connection.ExecuteAsync(
                        "SET idle_session_timeout = '20s'; SET idle_in_transaction_session_timeout = '10s'");
                    await work(connection, held.Token);
                }
                finally
                {
                    // The pool resets the session too; done here so that another replica need not wait for that.
                    if (!held.IsCancellationRequested || stoppingToken.IsCancellationRequested)
                        await connection.ExecuteAsync("SELECT pg_advisory_unlock_all(); RESET idle_session_timeout; RESET "
                            + "idle_in_transaction_session_timeout");
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
                when (CatalogErrors.IsTransient(e) || e is OperationCanceledException or InvalidOperationException)
            {
                Log.Interrupted(logger, e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static void LoseAt(StateChangeEventArgs change, CancellationTokenSource held)
    {
        if (change.CurrentState is ConnectionState.Open)
            return;
        try
        {
            held.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The work has ended, and the connection goes back to the pool.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Work that runs in one process at a time was interrupted ({Reason}); it is resumed.")]
        public static partial void Interrupted(ILogger logger, string reason);
    }
}
