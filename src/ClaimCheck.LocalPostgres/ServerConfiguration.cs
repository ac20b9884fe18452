namespace ClaimCheck.LocalPostgres;

/// <summary>The private server's settings, written again at each start.</summary>
internal static class ServerConfiguration
{
    /// <param name="socketFolder">Plain: no quotes, commas or blanks.</param>
    public static string Render(string socketFolder) =>
        $"""
        # Written by ClaimCheck at each start. Settings of your own: ALTER SYSTEM.

        # Reached through the socket in this private folder only, with a password.
        listen_addresses = ''
        unix_socket_directories = '{socketFolder}'
        unix_socket_permissions = 0700
        port = 5432
        password_encryption = 'scram-sha-256'
        cluster_name = 'claimcheck'

        # One small machine. What is committed stays committed: fsync and full_page_writes are left on.
        max_connections = 200
        shared_buffers = 128MB
        jit = off
        wal_level = minimal
        max_wal_senders = 0

        timezone = 'UTC'
        log_timezone = 'UTC'
        datestyle = 'iso, ymd'
        lc_messages = 'C'

        # A file for each day of the week, begun anew a week later. Statements and details are left out: they hold data.
        logging_collector = on
        log_directory = 'log'
        log_filename = 'postgres-%a.log'
        log_rotation_age = 1d
        log_rotation_size = 0
        log_truncate_on_rotation = on
        log_min_messages = warning
        log_min_error_statement = panic
        log_error_verbosity = terse
        log_checkpoints = off
        log_connections = off

        """;
}
