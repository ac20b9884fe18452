using ClaimCheck.Consumer.Databases;
using Npgsql;

namespace ClaimCheck.Adapter.Tables;

/// <summary>Whose fault it is that a statement failed.</summary>
internal enum SqlFault
{
    /// <summary>A record's: it will never fit.</summary>
    Record,

    /// <summary>A record's or everyone's: its state does not tell, but whether others pass.</summary>
    Unsure,

    /// <summary>A record's, for now: another holds it, or was quicker.</summary>
    TransientOfRecord,

    /// <summary>The server's, for now: no record is to blame.</summary>
    TransientOfServer,

    /// <summary>The table's, or the role's: someone must fix it.</summary>
    Table,
}

/// <summary>What a SQLSTATE means for a record. What states mean at all is told by <see cref="DatabaseStates"/>.</summary>
internal static class SqlFailure
{
    public static SqlFault FaultOf(PostgresException e) => e.SqlState == PostgresErrorCodes.OutOfMemory
        ? SqlFault.Unsure // of one value that is huge
        : DatabaseFailure.Of(e).Trouble switch
        {
            Trouble.Value or Trouble.Constraint => SqlFault.Record,
            // A limit on a whole transaction ends the session; one on a statement may be one record's.
            Trouble.TimedOut when e.SqlState != PostgresErrorCodes.QueryCanceled => SqlFault.TransientOfServer,
            Trouble.Conflict or Trouble.NotNow or Trouble.Cancelled or Trouble.TimedOut => SqlFault.TransientOfRecord,
            // A standby and a rotated password too: no record is at fault, and it passes.
            Trouble.Unreachable or Trouble.Exhausted or Trouble.Ended or Trouble.System or Trouble.ReadOnly or Trouble.SignIn => SqlFault.TransientOfServer,
            Trouble.Sequence => SqlFault.Table,
            // Rules of row security, triggers and what they call, limits: of a row, or of all.
            _ => SqlFault.Unsure,
        };

    /// <summary>Whether records may be at fault, so that others may pass.</summary>
    public static bool IsOfRecords(PostgresException e) => FaultOf(e) is SqlFault.Record or SqlFault.TransientOfRecord or SqlFault.Unsure;

    /// <summary>Whether it may go better another time, though nobody does anything.</summary>
    public static bool IsTransient(PostgresException e) =>
        FaultOf(e) is SqlFault.TransientOfServer or SqlFault.TransientOfRecord
        || e.SqlState == PostgresErrorCodes.OutOfMemory || DatabaseFailure.Of(e).Trouble == Trouble.Internal;

    /// <summary>A stable code for receipts.</summary>
    public static string CodeOf(PostgresException e) => DatabaseFailure.Of(e.SqlState).Code;

    /// <summary>Why, in words that are not the server's own: those may quote the record, or name what is nobody else's business.</summary>
    public static string MessageOf(PostgresException e)
    {
        var what = e.ConstraintName is { Length: > 0 } constraint ? $"constraint {constraint}"
            : e.ColumnName is { Length: > 0 } column ? $"column {column}"
            : null;
        return (DatabaseFailure.Of(e) with { Said = null }).TextAbout(what);
    }
}
