using ClaimCheck.Service.BulkJobs.Bodies;

namespace ClaimCheck.Service.BulkJobs.Targets;

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

    /// <summary>The operation does not fit the target, so that every item would fail; or some items are at fault: whether any
    /// item passes decides.</summary>
    Definition,
}

/// <summary>Classifies a target's failures. The server's own message is passed on only where it can't quote other rows than the
/// caller's; see <see cref="DatabaseStates"/>.</summary>
internal static class TargetErrors
{
    /// <summary>The state of an item of which the server can't read a value: the name is the parameter's.</summary>
    public const string Unread = "CC002";

    public static bool IsTargetError(Exception exception) => DatabaseFailure.Is(exception);

    public static TargetTrouble Classify(Exception exception) => DatabaseFailure.Of(exception).Trouble switch
    {
        Trouble.Conflict or Trouble.Cancelled => TargetTrouble.GaveWay,
        Trouble.TimedOut => TargetTrouble.TookTooLong,
        // A standby; a session that was idle for too long; a database that is being restored; a password that is being rotated.
        Trouble.Unreachable or Trouble.SignIn or Trouble.Exhausted or Trouble.Ended or Trouble.System or Trouble.ReadOnly =>
            TargetTrouble.Away,
        Trouble.NotNow when exception is PostgresException { SqlState: PostgresErrorCodes.ObjectNotInPrerequisiteState } =>
            TargetTrouble.Away,
        Trouble.Definition or Trouble.Permission or Trouble.Internal => TargetTrouble.Definition,
        _ => TargetTrouble.Items,
    };

    /// <summary>The server's fault, or that of one huge value: whether any item passes decides.</summary>
    public static bool IsOutOfMemory(PostgresException e) => e.SqlState == PostgresErrorCodes.OutOfMemory;

    /// <summary>Why an item failed.</summary>
    /// <param name="state">Its SQLSTATE.</param>
    /// <param name="name">The constraint or column, or nothing.</param>
    /// <param name="isProven">Whether other items of its chunk passed; if not, and the target may be at fault, no failure is
    /// terminal.</param>
    public static ItemFailure Explain(JobItem item, string state, string name, bool isProven)
    {
        if (state == Unread)
            return Invalid(item with { Invalid = $"{name} is not a value of its type." });
        var failure = DatabaseFailure.Of(state);
        var (code, isTransient) = state switch
        {
            "23505" or "23503" or "23502" or "23514" or "23P01" => (failure.Code, false),
            "22001" => ("value_too_long", false),
            "22003" => ("value_out_of_range", false),
            ['2', '2', ..] => ("invalid_value", false),
            ['2', '3', ..] => ("constraint_violation", false),
            "40001" => (failure.Code, true),
            "40P01" => ("deadlock", true),
            "55P03" => ("locked", true),
            ['P', '0', ..] => ("refused", false),
            PostgresErrorCodes.InsufficientPrivilege => ("refused", !isProven),
            ['X', 'X', ..] or ['5', '3', ..] => ("database_error", true),
            ['4', '2', ..] or ['0', 'A', ..] or ['2', '6', ..] or ['F', '0', ..] => ("database_error", !isProven),
            _ => ("database_error", false),
        };
        var about = name.Length > 0 ? $" ({name})" : "";
        var hint = failure.Meaning.Hint is { Length: > 0 } todo ? $" {todo}" : "";
        return new(
            item.Index, item.Key, isTransient, code, $"{failure.Meaning.Text.TrimEnd('.')}{about}.{hint} (SQLSTATE {state})");
    }

    public static ItemFailure NotFound(JobItem item) =>
        new(item.Index, item.Key, false, "not_found", "The operation touched no row for it.");

    public static ItemFailure Invalid(JobItem item) => new(item.Index, item.Key, false, "invalid", item.Invalid ?? "");

    public static ItemFailure OfItsChunk(JobItem item, bool isTransient) =>
        new(item.Index, item.Key, isTransient, "chunk_failed",
            "Another item of its chunk failed, and the operation is atomic by chunk.");
}
