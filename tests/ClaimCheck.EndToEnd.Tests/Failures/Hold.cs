using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>
/// Locks that the test holds in a database, so that a process stands still at an exact point: the statement that needs one of
/// them waits until it is let go.
/// </summary>
internal sealed class Hold : IAsyncDisposable
{
    private readonly NpgsqlConnection connection;
    private bool released;

    private Hold(NpgsqlConnection connection) => this.connection = connection;

    /// <summary>Keeps every relay from starting.</summary>
    public const string Relay = "SELECT pg_advisory_xact_lock(x'636c6368726c6179'::bigint)";

    /// <summary>A worker waits inside the transaction that makes its export ready: everything is staged,
    /// nothing is committed.</summary>
    public const string Commit = "LOCK TABLE batch_files IN SHARE MODE";

    /// <summary>A relay waits before it gives an event its place: the manifest is written, nothing is marked.</summary>
    public const string Feed = "SELECT head FROM event_feed FOR UPDATE";

    /// <summary>A source's query waits at the row that <see cref="Gated"/> names.</summary>
    public const string Gate = "SELECT pg_advisory_xact_lock(4711)";

    /// <summary>The scene's items, with a gate before one of them.</summary>
    public static string Gated(int row) =>
        $"SELECT i.id, i.name FROM items i, LATERAL (SELECT CASE WHEN i.id = {row} THEN "
        + "pg_advisory_xact_lock_shared(4711)::text END) gate ORDER BY id";

    public static async Task<Hold> TakeAsync(string connectionString, string sql)
    {
        var holder = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await holder.OpenAsync();
        await ExecuteAsync(holder, "BEGIN");
        await ExecuteAsync(holder, sql);
        return new Hold(holder);
    }

    /// <summary>Waits until a statement that contains the text waits for a lock.</summary>
    public static Task IsMetAsync(string connectionString, string statement, int times = 1) => Eventually.TrueAsync(
        async () => await Scene.ScalarAsync<long>(
            connectionString,
            $"""
            SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%{statement}%' AND pid <> pg_backend_pid()
            """) >= times,
        TimeSpan.FromSeconds(60),
        $"{times} × {statement} waits for a lock");

    public async Task ReleaseAsync()
    {
        if (released)
            return;
        released = true;
        await ExecuteAsync(connection, "ROLLBACK");
    }

    public async ValueTask DisposeAsync() => await connection.DisposeAsync();

    private static async Task ExecuteAsync(NpgsqlConnection holder, string sql)
    {
        await using var command = holder.CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
