namespace ClaimCheck.Consumer.Databases;

/// <summary>What a failure of a database is about. Callers decide by it what is tried again, and who is at fault.</summary>
internal enum Trouble
{
    /// <summary>The server can't be reached, or the connection broke.</summary>
    Unreachable,

    /// <summary>The server refuses the user, the password or the database: somebody corrects them, or they rotate.</summary>
    SignIn,

    /// <summary>The server has run out of something: connections, memory, disk.</summary>
    Exhausted,

    /// <summary>The server ended the session, or accepts none now.</summary>
    Ended,

    /// <summary>The server's files or its system failed.</summary>
    System,

    /// <summary>It gave way to other work, or waited for a lock: the same again, soon.</summary>
    Conflict,

    /// <summary>An object is not in the required state.</summary>
    NotNow,

    /// <summary>A time limit.</summary>
    TimedOut,

    /// <summary>The statement was cancelled.</summary>
    Cancelled,

    /// <summary>Nothing may be written: a standby, or a read-only transaction.</summary>
    ReadOnly,

    /// <summary>The role lacks a permission.</summary>
    Permission,

    /// <summary>The statement does not fit the database.</summary>
    Definition,

    /// <summary>The transaction or session does not allow the statement at this point.</summary>
    Sequence,

    /// <summary>A value is invalid.</summary>
    Value,

    /// <summary>A constraint that a row violates.</summary>
    Constraint,

    /// <summary>A function, a trigger or a foreign server refused it, by its own rules.</summary>
    Rule,

    /// <summary>Something is larger or deeper than the server's limits.</summary>
    Limit,

    /// <summary>An internal error of the server.</summary>
    Internal,
}

/// <summary>The meaning of one SQLSTATE.</summary>
/// <param name="Code">A stable code, the condition's name in PostgreSQL where it has one; null where it has none
/// of its own here.</param>
/// <param name="Trouble">Its subject.</param>
/// <param name="Text">What happened, as a sentence.</param>
/// <param name="Hint">What the operator does about it, as sentences; may be empty.</param>
/// <param name="MayQuote">
/// Whether the server's own message may quote a row, the statement's values, a host or a user: then it is not passed on.
/// </param>
internal sealed record DatabaseState(string? Code, Trouble Trouble, string Text, string Hint = "", bool MayQuote = false);
