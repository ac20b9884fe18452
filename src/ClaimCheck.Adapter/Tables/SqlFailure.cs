using ClaimCheck.Consumer.Databases;

namespace ClaimCheck.Adapter.Tables;

/// <summary>The cause of a statement's failure.</summary>
internal enum SqlFault
{
    /// <summary>A record is at fault: it will never fit.</summary>
    Record,

    /// <summary>A record or the whole table is at fault: the state does not tell, but whether others pass does.</summary>
    Unsure,

    /// <summary>A record, transiently: another transaction locks it, or was faster.</summary>
    TransientOfRecord,

    /// <summary>The server, transiently: no record is at fault.</summary>
    TransientOfServer,

    /// <summary>The table, or the role: somebody must fix it.</summary>
    Table,
}

/// <summary>What a SQLSTATE means for a record. The general meaning of states is in <see cref="DatabaseStates"/>.</summary>
internal static class SqlFailure
{
    public static SqlFault FaultOf(PostgresException e) => e.SqlState == PostgresErrorCodes.OutOfMemory
        ? SqlFault.Unsure // of one huge value
        : DatabaseFailure.Of(e).Trouble switch
        {
            Trouble.Value or Trouble.Constraint => SqlFault.Record,
            // A limit on a whole transaction ends the session; one on a statement may be caused by one record.
            Trouble.TimedOut when e.SqlState != PostgresErrorCodes.QueryCanceled => SqlFault.TransientOfServer,
            Trouble.Conflict or Trouble.NotNow or Trouble.Cancelled or Trouble.TimedOut => SqlFault.TransientOfRecord,
            // A standby and a rotated password too: no record is at fault, and it passes.
            Trouble.Unreachable or Trouble.Exhausted or Trouble.Ended or Trouble.System or Trouble.ReadOnly or Trouble.SignIn =>
                SqlFault.TransientOfServer,
            Trouble.Sequence => SqlFault.Table,
            // Rules of row security, triggers and what they call, limits: may concern one row, or all.
            _ => SqlFault.Unsure,
        };

    /// <summary>Whether records may be at fault, so that others may pass.</summary>
    public static bool IsOfRecords(PostgresException e) =>
        FaultOf(e) is SqlFault.Record or SqlFault.TransientOfRecord or SqlFault.Unsure;

    /// <summary>Whether it may succeed later without intervention.</summary>
    public static bool IsTransient(PostgresException e) =>
        FaultOf(e) is SqlFault.TransientOfServer or SqlFault.TransientOfRecord
        || e.SqlState == PostgresErrorCodes.OutOfMemory || DatabaseFailure.Of(e).Trouble == Trouble.Internal;

    /// <summary>A stable code for receipts.</summary>
    public static string CodeOf(PostgresException e) => DatabaseFailure.Of(e.SqlState).Code;

    /// <summary>The reason, not in the server's own words: those may quote the record, or reveal internal names.</summary>
    public static string MessageOf(PostgresException e)
    {
        var what = e.ConstraintName is { Length: > 0 } constraint ? $"constraint {constraint}"
            : e.ColumnName is { Length: > 0 } column ? $"column {column}"
            : null;
        return (DatabaseFailure.Of(e) with { Said = null }).TextAbout(what);
    }
}
