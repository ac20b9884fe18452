using System.Net.Sockets;
using Npgsql;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>What a failure of the target is about.</summary>
internal enum TargetTrouble
{
    /// <summary>The database can't be reached or can't work now: the same again, later.</summary>
    Away,

    /// <summary>It gave way to other work: the same again, soon.</summary>
    GaveWay,

    /// <summary>Some of the items.</summary>
    Items,

    /// <summary>It took longer than it may.</summary>
    TookTooLong,

    /// <summary>The operation does not fit the target, and no item would go better; or it is some items' own: whether any passes tells.</summary>
    Definition,
}

/// <summary>
/// Tells a target's failures apart. The server's own message is not passed on: it may quote other rows than the caller's. The
/// SQLSTATE and the name of a constraint can't.
/// </summary>
internal static class TargetErrors
{
    /// <summary>The state of an item of which the server can't read a value: the name is the parameter's.</summary>
    public const string Unread = "CC002";

    public static bool IsTargetError(Exception exception) =>
        exception is NpgsqlException or SocketException or IOException or TimeoutException or ObjectDisposedException;

    public static TargetTrouble Classify(Exception exception) => exception is not PostgresException e ? TargetTrouble.Away : e.SqlState switch
    {
        PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable => TargetTrouble.GaveWay,
        // A timeout has the state of a user's cancellation: only the text tells them apart.
        PostgresErrorCodes.QueryCanceled => e.MessageText.Contains("timeout", StringComparison.OrdinalIgnoreCase) ? TargetTrouble.TookTooLong : TargetTrouble.GaveWay,
        "25006" or "25P03" or "3D000" or "55000" => TargetTrouble.Away, // a standby; a session that stood still; a database that is being restored
        ['0', '8', ..] or ['2', '8', ..] or ['5', '3', ..] or ['5', '7', ..] or ['5', '8', ..] => TargetTrouble.Away,
        ['4', '2', ..] or ['0', 'A', ..] or ['2', '6', ..] or ['X', 'X', ..] or ['F', '0', ..] => TargetTrouble.Definition,
        _ => TargetTrouble.Items,
    };

    /// <summary>The server's, or of one value that is huge: whether any item passes tells.</summary>
    public static bool IsOutOfMemory(PostgresException e) => e.SqlState == PostgresErrorCodes.OutOfMemory;

    /// <summary>Why an item failed.</summary>
    /// <param name="item">The item.</param>
    /// <param name="state">Its SQLSTATE.</param>
    /// <param name="name">The constraint or column, or nothing.</param>
    /// <param name="isProven">Whether others of its unit passed: else, where it may be the target's fault, nothing is final.</param>
    public static ItemFailure Explain(JobItem item, string state, string name, bool isProven)
    {
        if (state == Unread)
            return Invalid(item with { Invalid = $"{name} is not a value of its type." });
        var (code, what, isTransient) = state switch
        {
            "23505" => ("unique_violation", "It violates a unique constraint", false),
            "23503" => ("foreign_key_violation", "It violates a foreign key", false),
            "23502" => ("not_null_violation", "It would set a column to NULL that must not be", false),
            "23514" => ("check_violation", "It violates a check constraint", false),
            "23P01" => ("exclusion_violation", "It violates an exclusion constraint", false),
            "22001" => ("value_too_long", "A value is too long for its column", false),
            "22003" => ("value_out_of_range", "A number is out of its column's range", false),
            ['2', '2', ..] => ("invalid_value", "A value does not fit", false),
            ['2', '3', ..] => ("constraint_violation", "It violates a constraint", false),
            "40001" => ("serialization_failure", "It gave way to other work", true),
            "40P01" => ("deadlock", "It gave way to other work", true),
            "55P03" => ("locked", "A row or table stayed locked", true),
            ['P', '0', ..] => ("refused", "The database's own rules refuse it", false),
            PostgresErrorCodes.InsufficientPrivilege => ("refused", "The database's own rules refuse it", !isProven),
            ['X', 'X', ..] or ['5', '3', ..] => ("database_error", "The database could not do it", true),
            ['4', '2', ..] or ['0', 'A', ..] or ['2', '6', ..] or ['F', '0', ..] => ("database_error", "The database refuses it", !isProven),
            _ => ("database_error", "The database refuses it", false),
        };
        var about = name.Length > 0 ? $" ({name})" : "";
        return new(item.Index, item.Key, isTransient, code, $"{what}{about}. (SQLSTATE {state})");
    }

    public static ItemFailure NotFound(JobItem item) => new(item.Index, item.Key, false, "not_found", "The operation touched no row for it.");

    public static ItemFailure Invalid(JobItem item) => new(item.Index, item.Key, false, "invalid", item.Invalid ?? "");

    public static ItemFailure OfItsChunk(JobItem item, bool isTransient) =>
        new(item.Index, item.Key, isTransient, "chunk_failed", "Another item of its chunk failed, and the operation is atomic by chunk.");
}
