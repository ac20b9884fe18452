using System.Collections.Frozen;
using static ClaimCheck.Consumer.Databases.Trouble;

namespace ClaimCheck.Consumer.Databases;

/// <summary>
/// The one table of SQLSTATEs: what each means and what to do about it, for everything that uses a database. A state without an
/// entry has its class's. https://www.postgresql.org/docs/current/errcodes-appendix.html
/// </summary>
internal static class DatabaseStates
{
    private const string SignInHint = "Correct it where the connection string is set; it is read again by itself.";
    private const string RoomHint = "Check the server's load and limits.";
    private const string GrantHint = "Grant the role what it needs.";
    private const string LockHint = "Run it when the database is less busy, or raise the limit on waiting for locks.";
    private const string TextHint =
        "Correct the text where it is stored, or store it in a database whose encoding is UTF8.";

    /// <summary>States with a more specific meaning than their class.</summary>
    public static FrozenDictionary<string, DatabaseState> Known { get; } =
        new Dictionary<string, DatabaseState>(StringComparer.Ordinal)
        {
            ["08001"] = new("unable_to_connect", Unreachable, "The server behind the database can't be connected to."),
            ["08004"] = new("connection_rejected", Unreachable, "The server rejected the connection.", MayQuote: true),
            ["08P01"] = new(
                "protocol_violation", Unreachable,
                "The server, or something in front of it, did not follow PostgreSQL's protocol as expected.",
                "Look at what is between: a pooler refuses settings that a connection string asks for.", MayQuote: true),

            ["21000"] = new("cardinality_violation", Value, "One row was expected, and there were more."),
            ["22001"] = new("string_data_right_truncation", Value, "A value is too long for its column.", MayQuote: true),
            ["22003"] = new("numeric_value_out_of_range", Value, "A number is out of its type's range.", MayQuote: true),
            ["22007"] = new("invalid_datetime_format", Value, "A text is not a valid date or time.", MayQuote: true),
            ["22008"] = new("datetime_field_overflow", Value, "A date or time is out of range.", MayQuote: true),
            ["22012"] = new(null, Value, "A number was divided by zero.", MayQuote: true),
            ["22021"] = new(
                "character_not_in_repertoire", Value, "A text has bytes that are not characters of its encoding.",
                "A database in SQL_ASCII checks no text, so it may hold any bytes. " + TextHint, MayQuote: true),
            ["22023"] = new(null, Value, "A function was given a value that it does not accept.", MayQuote: true),
            ["22P02"] = new("invalid_text_representation", Value, "A text is not a valid value of its type.", MayQuote: true),
            ["22P05"] = new(
                "untranslatable_character", Value, "A text has a character that the other side's encoding does not have.",
                TextHint, MayQuote: true),
            ["23000"] = new("integrity_constraint_violation", Constraint, "It violates a constraint.", MayQuote: true),
            ["23001"] = new("restrict_violation", Constraint, "Other rows refer to it.", MayQuote: true),
            ["23502"] = new("not_null_violation", Constraint, "It would set a column to NULL that must not be.", MayQuote: true),
            ["23503"] = new("foreign_key_violation", Constraint, "It violates a foreign key.", MayQuote: true),
            ["23505"] = new("unique_violation", Constraint, "It violates a unique constraint.", MayQuote: true),
            ["23514"] = new("check_violation", Constraint, "It violates a check constraint.", MayQuote: true),
            ["23P01"] = new("exclusion_violation", Constraint, "It violates an exclusion constraint.", MayQuote: true),

            ["25006"] = new(
                "read_only", ReadOnly, "The database or the transaction is read-only, and the statement writes.",
                "A standby accepts no writes: name the primary. A dataset's query may not write."),
            ["25P02"] = new(null, Sequence, "The transaction had failed before."),
            ["25P03"] = new(
                "idle_in_transaction_timeout", Ended,
                "The server ended the session, which was idle in a transaction for too long.",
                "Raise idle_in_transaction_session_timeout for the role."),
            ["25P04"] = new(
                "transaction_timeout", TimedOut, "The transaction took longer than the server allows (transaction_timeout).",
                "Raise transaction_timeout for the role."),

            ["28000"] = new(
                "sign_in_refused", SignIn, "The server refused the sign-in.",
                "Look at the role, at pg_hba.conf and at whether the server wants TLS. " + SignInHint, MayQuote: true),
            ["28P01"] = new("wrong_password", SignIn, "The server refused the password: password authentication failed.",
                SignInHint, MayQuote: true),
            ["3D000"] = new("database_missing", SignIn, "The server has no database of that name.", SignInHint, MayQuote: true),
            ["3F000"] = new("schema_missing", Definition, "The database has no schema of that name."),

            ["40001"] = new("serialization_failure", Conflict, "It gave way to other work that changed the same rows."),
            ["40003"] = new(null, Conflict, "Whether the statement took effect is not known."),
            ["40P01"] = new(
                "deadlock_detected", Conflict, "It gave way to other work: each waited for the other's locks (a deadlock)."),

            ["42501"] = new("insufficient_privilege", Permission, "The role may not do that: permission denied.", GrantHint),
            ["42601"] = new(null, Definition, "The statement has an error in its syntax.", MayQuote: true),
            ["42703"] = new(null, Definition, "The statement names a column that is not there."),
            ["42804"] = new(null, Definition, "The statement combines types that do not match."),
            ["42883"] = new(null, Definition, "The statement calls a function or an operator that is not there for those types."),
            ["42P01"] = new(null, Definition, "The statement names a table or view that is not there."),
            ["42704"] = new(null, Definition, "The statement names something that is not there."),
            ["44000"] = new("with_check_option_violation", Constraint, "A view's check option refuses the row.", MayQuote: true),

            ["53100"] = new("disk_full", Exhausted, "The server's disk is full.", "Free some space on it."),
            ["53200"] = new(
                "out_of_memory", Exhausted, "The server ran out of memory, or one value is too large for it.", RoomHint),
            ["53300"] = new(
                "too_many_connections", Exhausted, "The server has too many connections to accept another.",
                "Raise max_connections or the role's limit, or lower Maximum Pool Size in the connection strings."),
            ["53400"] = new(
                "configuration_limit_exceeded", Exhausted, "The statement needs more than a limit of the server allows.",
                "Raise the limit (temp_file_limit, for example) for the role."),
            ["54000"] = new(
                "program_limit_exceeded", Limit, "A value or a row is too large for the server.", "Leave it out, or split it."),
            ["54001"] = new("statement_too_complex", Limit, "The statement is nested too deeply for the server.",
                "Simplify it, or raise max_stack_depth."),
            ["54011"] = new(null, Limit, "There are too many columns for the server."),
            ["54023"] = new(null, Limit, "A function has too many arguments for the server."),

            ["55000"] = new(null, NotNow, "An object of the database is not in a state that allows it."),
            ["55006"] = new(null, NotNow, "An object of the database is in use."),
            ["55P03"] = new("lock_not_available", Conflict,
                "A table or row stayed locked by other work for longer than the lock timeout.", LockHint),
            ["57014"] = new("query_canceled", Cancelled, "The statement was cancelled at the server."),
            ["57P01"] = new("admin_shutdown", Ended,
                "The server ended the session: an administrator ended it, or the server is shutting down."),
            ["57P02"] = new("crash_shutdown", Ended, "The server ended the session after another session crashed."),
            ["57P03"] = new(
                "cannot_connect_now", Ended, "The server accepts no connections now: it is starting up or shutting down."),
            ["57P04"] = new("database_dropped", SignIn, "The database was dropped.", SignInHint, MayQuote: true),
            ["57P05"] = new(
                "idle_session_timeout", Ended, "The server ended the session, which was idle for too long.",
                "Raise idle_session_timeout for the role."),
            ["58030"] = new(
                "io_error", Trouble.System, "The server could not read or write its files.", "Look at its disk and its log."),
            ["72000"] = new("snapshot_too_old", Conflict, "The server has removed data that the snapshot still needed."),
            ["P0001"] = new("raise_exception", Rule, "A function or trigger of the database refuses it.", MayQuote: true),
            ["XX001"] = new("data_corrupted", Internal, "The server found corrupted data.", "Look at its log, and at its disk."),
            ["XX002"] = new(
                "index_corrupted", Internal, "The server found a corrupted index.", "Look at its log; REINDEX rebuilds indexes."),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The meaning of a class, for its states without an entry of their own.</summary>
    public static FrozenDictionary<string, DatabaseState> Classes { get; } =
        new Dictionary<string, DatabaseState>(StringComparer.Ordinal)
        {
            ["08"] = new(null, Unreachable, "The connection to the server broke.", MayQuote: true),
            ["09"] = new(null, Rule, "A trigger of the database failed.", MayQuote: true),
            ["0A"] = new(null, Definition, "The statement uses what this server does not support."),
            ["0L"] = new(null, Permission, "The role may not grant that.", GrantHint),
            ["0P"] = new(null, SignIn, "The role can't be used in this way.", SignInHint, MayQuote: true),
            ["21"] = new(null, Value, "One row was expected, and there were more."),
            ["22"] = new(null, Value, "A value is not valid for its use.", MayQuote: true),
            ["23"] = new(null, Constraint, "It violates a constraint.", MayQuote: true),
            ["25"] = new(null, Sequence, "The transaction is not in a state that allows the statement."),
            ["26"] = new(null, Definition,
                "The session does not know a prepared statement: something between it and the server shares sessions."),
            ["27"] = new(null, Rule, "A trigger changed the row that was being changed.", MayQuote: true),
            ["28"] = new(null, SignIn, "The server refused the sign-in.", SignInHint, MayQuote: true),
            ["2B"] = new(null, Definition, "Other objects of the database depend on it."),
            ["2F"] = new(null, Rule, "A function of the database does something that is not allowed.", MayQuote: true),
            ["38"] = new(null, Rule, "An external function of the database failed.", MayQuote: true),
            ["39"] = new(null, Rule, "A function of the database broke the rules for functions.", MayQuote: true),
            ["3B"] = new(null, Sequence, "The transaction does not know a savepoint."),
            ["40"] = new(null, Conflict, "The transaction was rolled back."),
            ["42"] = new(null, Definition, "The statement does not fit the database.", MayQuote: true),
            ["53"] = new(null, Exhausted, "The server ran out of something.", RoomHint),
            ["54"] = new(null, Limit, "Something is too large or too complex for the server."),
            ["55"] = new(null, NotNow, "An object or a setting of the database does not allow it now."),
            ["57"] = new(null, Ended, "The server's operator, or its own rules, ended it."),
            ["58"] = new(null, Trouble.System, "The server's own system failed.", "Look at its log."),
            ["F0"] = new(null, Definition, "The server's configuration has an error.", "Look at its log."),
            ["HV"] = new(null, Rule, "The foreign server of a table failed, or refuses it.", "Look at the foreign server.",
                MayQuote: true),
            ["P0"] = new(null, Rule, "A function or trigger of the database refuses it.", MayQuote: true),
            ["XX"] = new(null, Internal, "The server had an internal error.", "Look at its log.", MayQuote: true),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly DatabaseState Unknown = new(null, Rule, "The database refuses it.", MayQuote: true);

    /// <summary>The meaning of a state: its own, else its class's, else unknown.</summary>
    public static DatabaseState Of(string sqlState) =>
        Known.GetValueOrDefault(sqlState) ?? (sqlState.Length == 5 ? Classes.GetValueOrDefault(sqlState[..2]) : null) ?? Unknown;
}
