using System.Net.Sockets;
using System.Security.Authentication;

namespace ClaimCheck.Consumer.Databases;

/// <summary>One failure of a database, in words that may be shown to anyone: no value of a row, no host, no user.</summary>
/// <param name="Meaning">Its meaning, and what to do.</param>
/// <param name="SqlState">The server's own state, or null where the driver found it.</param>
/// <param name="Said">The server's own message, where it can't quote anything.</param>
internal sealed record DatabaseFailure(DatabaseState Meaning, string? SqlState, string? Said)
{
    private static readonly DatabaseState StandbyConflict = new(
        "standby_conflict", Trouble.Conflict,
        "The source is a standby, and cancelled the query because the replay of its primary's changes had "
        + "waited long enough for it.",
        "Raise max_standby_streaming_delay (or max_standby_archive_delay) on the standby, or set hot_standby_feedback = on.");

    private static readonly DatabaseState StatementTimeout = new(
        "statement_timeout", Trouble.TimedOut, "The statement took longer than it may (a statement timeout).",
        "Make it faster, or raise the limit: the one of the settings, or statement_timeout of the role.");

    private static readonly DatabaseState Unnamed = new(
        "unreachable", Trouble.Unreachable, "The server can't be reached, or the connection to it broke.");

    /// <summary>A stable code.</summary>
    public string Code => Meaning.Code ?? (SqlState is null ? "unreachable" : $"sqlstate_{SqlState.ToLowerInvariant()}");

    public Trouble Trouble => Meaning.Trouble;

    /// <summary>What happened, what the server said of it, and what to do.</summary>
    public string Text => TextAbout(null);

    /// <summary>The same, with an object's name.</summary>
    /// <param name="what">The constraint or column that it is about, or null.</param>
    public string TextAbout(string? what) => string.Join(
        ' ',
        ((IEnumerable<string>)
        [
            Meaning.Text,
            Said is null ? "" : $"The server said: {Said.TrimEnd('.')}.",
            Meaning.Hint,
            SqlState is null ? "" : $"(SQLSTATE {SqlState}{(what is null ? "" : $", {what}")})",
        ]).Where(part => part.Length > 0));

    /// <summary>Whether an exception comes from a database or the connection to it.</summary>
    public static bool Is(Exception exception) =>
        exception is NpgsqlException or SocketException or IOException or TimeoutException or AuthenticationException
            or ObjectDisposedException;

    public static DatabaseFailure Of(Exception exception) =>
        exception is PostgresException said ? OfServer(said) : new(OfDriver(exception), null, null);

    /// <summary>From a state alone, where the server's exception is not available.</summary>
    public static DatabaseFailure Of(string sqlState) => new(DatabaseStates.Of(sqlState), sqlState, null);

    /// <summary>
    /// Whether it passes by itself, or once an operator has fixed the server or the sign-in: work waits for it.
    /// </summary>
    public bool Passes => Trouble is Trouble.Unreachable or Trouble.SignIn or Trouble.Exhausted or Trouble.Ended or Trouble.System
        or Trouble.Conflict or Trouble.NotNow or Trouble.TimedOut or Trouble.Cancelled or Trouble.ReadOnly or Trouble.Sequence;

    private static DatabaseFailure OfServer(PostgresException e)
    {
        var meaning = e.SqlState switch
        {
            PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected when IsStandbyConflict(e) =>
                StandbyConflict,
            // A timeout has the state and the routine of a user's cancellation: only the message distinguishes them. On a server
            // with another language it is therefore reported as a cancellation.
            PostgresErrorCodes.QueryCanceled when e.MessageText.Contains("timeout", StringComparison.OrdinalIgnoreCase) =>
                StatementTimeout,
            // A value or a row that is larger than any the server can hold. This message is never translated.
            PostgresErrorCodes.InternalError
                when e.MessageText.StartsWith("invalid memory alloc request size", StringComparison.Ordinal) =>
                DatabaseStates.Of(PostgresErrorCodes.ProgramLimitExceeded),
            var state => DatabaseStates.Of(state),
        };
        // A function may raise any state with any text: where there is a context, the error is not the server's alone.
        return new(meaning, e.SqlState, meaning.MayQuote || !string.IsNullOrEmpty(e.Where) ? null : e.MessageText);
    }

    // The message may be in any language; the routine's name is not. Conflicts between rows have other causes.
    private static bool IsStandbyConflict(PostgresException e) =>
        e.Routine is "ProcessInterrupts" or "ProcessRecoveryConflictInterrupt" or "ProcessRecoveryConflictInterrupts"
            or "report_recovery_conflict"
        || e.MessageText.Contains("conflict with recovery", StringComparison.OrdinalIgnoreCase);

    private static DatabaseState OfDriver(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case PasswordFileException:
                    return new("password_file_unreadable", Trouble.SignIn, e.Message, "Correct it; it is read again by itself.");
                case AuthenticationException:
                    return new(
                        "tls_failed", Trouble.Unreachable, "The server's certificate, or its version of TLS, was not accepted.",
                        "Look at SSL Mode and Root Certificate in the connection string, and at the server's certificate.");
                case SocketException socket:
                    return OfSocket(socket.SocketErrorCode);
                case TimeoutException:
                    return OfSocket(SocketError.TimedOut);
                case EndOfStreamException:
                    return new("connection_ended", Trouble.Unreachable,
                        "The server, or something in front of it, closed the connection.");
            }
        }

        return OfText(exception.Message);
    }

    private static DatabaseState OfSocket(SocketError error) => error switch
    {
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain or SocketError.NoRecovery => new(
            "host_unknown", Trouble.Unreachable, "The server's name has no address (DNS).",
            "Look at Host in the connection string, and at the name server."),
        SocketError.ConnectionRefused => new(
            "connection_refused", Trouble.Unreachable,
            "The server's machine refused the connection: nothing listens at that port.",
            "Look at Host and Port in the connection string, and whether the server runs."),
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.NetworkDown => new(
            "network_unreachable", Trouble.Unreachable, "The network has no route to the server.",
            "Look at routes and firewalls."),
        SocketError.TimedOut => new(
            "timeout", Trouble.Unreachable, "The server did not answer in time.",
            "Look at routes and firewalls, and at the server's load."),
        _ => Unnamed with { Code = "connection_ended", Text = "The connection to the server broke." },
    };

    // Failures that only the driver reports have no type of their own. Their messages are in English.
    private static DatabaseState OfText(string text) => text switch
    {
        _ when text.Contains("No password has been provided", StringComparison.Ordinal) => new(
            "password_missing", Trouble.SignIn, "The server asks for a password, and the connection string has none.",
            "Set it; it is read again by itself."),
        _ when text.Contains("SSL", StringComparison.Ordinal) => new(
            "tls_refused", Trouble.Unreachable, "The connection string requires TLS, but the server does not offer it.",
            "Look at SSL Mode, and at the server's ssl."),
        _ when text.Contains("pool has been exhausted", StringComparison.Ordinal) => new(
            "pool_exhausted", Trouble.Unreachable, "All connections of the pool are in use.",
            "Raise Maximum Pool Size in the connection string."),
        _ => Unnamed,
    };
}
