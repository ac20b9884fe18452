namespace ClaimCheck.Testing;

/// <summary>A primary and a streaming standby of it, of this test process's own; gone with the process, or
/// when disposed.</summary>
internal sealed class StandbyPair : IDisposable
{
    private readonly Action stop;

    private StandbyPair(Action stop, string primary, string standby) => (this.stop, Primary, Standby) = (stop, primary, standby);

    /// <summary>Connection strings to one and the same database.</summary>
    public string Primary { get; }

    public string Standby { get; }

    /// <summary>Starts both. The standby has replayed no commit yet.</summary>
    /// <param name="schema">Run on the primary before the standby is made of it.</param>
    public static async Task<StandbyPair> StartAsync(string schema)
    {
        // The shell waits for the end of its input, which is the end of this process; whatever ended it, the servers go too.
        const string script = """
            set -eu
            trap '' INT TERM HUP
            exec >"$2/log" 2>&1
            bin=$(dirname "$(readlink -f "$1/postgres")")
            fast="-c fsync=off -c full_page_writes=off -c shared_buffers=16MB -c listen_addresses=127.0.0.1 -c autovacuum=off -c checkpoint_timeout=1h"
            "$bin/initdb" -D "$2/primary" -U postgres -A trust -E UTF8 --locale=C --no-sync
            "$bin/postgres" -D "$2/primary" -p "$3" -k "$2" $fast </dev/null &
            primary=$!
            until "$bin/pg_isready" -q -h 127.0.0.1 -p "$3"; do kill -0 $primary; sleep 0.05; done
            "$bin/psql" -q -h 127.0.0.1 -p "$3" -U postgres -v ON_ERROR_STOP=1 -c "$5"
            "$bin/pg_basebackup" -h 127.0.0.1 -p "$3" -U postgres -D "$2/standby" -R -X stream -c fast --no-sync
            "$bin/postgres" -D "$2/standby" -p "$4" -k "$2" $fast -c hot_standby=on </dev/null &
            standby=$!
            cat >/dev/null
            kill -INT $standby $primary || true
            wait || true
            rm -rf "$2"
            """;
        // Free ports may be taken by someone else before the servers bind them.
        for (var attempt = 1; ; attempt++)
        {
            var (first, second) = (PostgresServer.FreePort(), PostgresServer.FreePort());
            var (guard, directory) = await PostgresServer.GuardAsync(script, $"{first}", $"{second}", schema);
            var (primary, standby) = (PostgresServer.Address(first), PostgresServer.Address(second));
            try
            {
                await PostgresServer.WaitAsync(standby, guard, Path.Combine(directory, "log"));
                return new(Stop, primary, standby);
            }
            catch (InvalidOperationException) when (attempt < 3)
            {
                Stop();
            }

            // Not disposed of: it is asked again when this process ends.
            void Stop()
            {
                guard.StandardInput.Close();
                guard.WaitForExit(TimeSpan.FromSeconds(10));
            }
        }
    }

    /// <summary>From now on the standby receives what the primary commits, and shows none of it.</summary>
    public Task PauseAsync() => Scene.SqlAsync(Standby, "SELECT pg_wal_replay_pause()");

    /// <summary>Lets it catch up, and waits until it has.</summary>
    public async Task ResumeAsync()
    {
        await Scene.SqlAsync(Standby, "SELECT pg_wal_replay_resume()");
        await CatchUpAsync();
    }

    public async Task CatchUpAsync()
    {
        var written = await Scene.ScalarAsync<string>(Primary, "SELECT pg_current_wal_flush_lsn()::text");
        await Eventually.TrueAsync(() => Scene.ScalarAsync<bool>(Standby, $"SELECT pg_last_wal_replay_lsn() >= '{written}'"));
    }

    /// <summary>When the commit was made that the standby has replayed last.</summary>
    public async Task<DateTimeOffset?> ReplayedAsync() =>
        await Scene.ScalarAsync<DateTime>(Standby, "SELECT pg_last_xact_replay_timestamp()") is var time && time == default
            ? null
            : new(time);

    public void Dispose() => stop();
}
