using Npgsql;

namespace ClaimCheck.Adapter.Tables;

/// <summary>Whose fault it is that a statement failed.</summary>
internal enum Fault
{
    /// <summary>A record's: it will never fit.</summary>
    Record,

    /// <summary>A record's or everyone's: its state does not tell, but whether others pass.</summary>
    Unsure,

    /// <summary>A record's, for now: another holds it, or was quicker.</summary>
    RecordForNow,

    /// <summary>The server's, for now: no record is to blame.</summary>
    ServerForNow,

    /// <summary>The table's, or the role's: someone must mend it.</summary>
    Table,
}

/// <summary>What a SQLSTATE means for a record. https://www.postgresql.org/docs/current/errcodes-appendix.html</summary>
internal static class SqlFailure
{
    private const string Cancelled = "57014";
    private const string OutOfMemory = "53200";

    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["21000"] = "cardinality_violation",
        ["22001"] = "string_data_right_truncation",
        ["22003"] = "numeric_value_out_of_range",
        ["22007"] = "invalid_datetime_format",
        ["22008"] = "datetime_field_overflow",
        ["22021"] = "character_not_in_repertoire",
        ["22P02"] = "invalid_text_representation",
        ["22P05"] = "untranslatable_character",
        ["23000"] = "integrity_constraint_violation",
        ["23001"] = "restrict_violation",
        ["23502"] = "not_null_violation",
        ["23503"] = "foreign_key_violation",
        ["23505"] = "unique_violation",
        ["23514"] = "check_violation",
        ["23P01"] = "exclusion_violation",
        ["40001"] = "serialization_failure",
        ["40P01"] = "deadlock_detected",
        ["42501"] = "insufficient_privilege",
        ["44000"] = "with_check_option_violation",
        [OutOfMemory] = "out_of_memory",
        ["54000"] = "program_limit_exceeded",
        ["55P03"] = "lock_not_available",
        [Cancelled] = "query_canceled",
        ["P0001"] = "raise_exception",
    };

    public static Fault FaultOf(PostgresException e) => e.SqlState switch
    {
        Cancelled => Fault.RecordForNow,
        OutOfMemory => Fault.Unsure, // of one value that is huge
        _ => e.SqlState[..2] switch
        {
            "21" or "22" or "23" or "44" => Fault.Record,
            "40" or "55" => Fault.RecordForNow,
            "08" or "53" or "57" or "58" => Fault.ServerForNow,
            "25" or "28" or "3D" => Fault.Table,
            // Rules of row security, triggers and what they call, limits: of a row, or of all.
            _ => Fault.Unsure,
        },
    };

    /// <summary>Whether records may be at fault, so that others may pass.</summary>
    public static bool IsOfRecords(PostgresException e) => FaultOf(e) is Fault.Record or Fault.RecordForNow or Fault.Unsure;

    /// <summary>Whether it may go better another time, though nobody does anything.</summary>
    public static bool Passes(PostgresException e) =>
        FaultOf(e) is Fault.ServerForNow or Fault.RecordForNow || e.SqlState == OutOfMemory || e.SqlState.StartsWith("XX", StringComparison.Ordinal);

    /// <summary>A stable code for receipts.</summary>
    public static string CodeOf(PostgresException e) => Names.GetValueOrDefault(e.SqlState, $"sqlstate_{e.SqlState.ToLowerInvariant()}");

    /// <summary>Why, in words. The server's own text may quote the record.</summary>
    public static string MessageOf(PostgresException e) => e switch
    {
        { ConstraintName: { Length: > 0 } constraint } => $"Postgres refused it (SQLSTATE {e.SqlState}, constraint {constraint}).",
        { ColumnName: { Length: > 0 } column } => $"Postgres refused it (SQLSTATE {e.SqlState}, column {column}).",
        _ => $"Postgres refused it (SQLSTATE {e.SqlState}).",
    };
}
