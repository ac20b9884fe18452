using System.Globalization;
using System.Net.Sockets;
using Npgsql;

namespace ClaimCheck.Service.Exporting;

/// <summary>
/// Tells a source's failures apart. The server's own message is not passed on: it may quote a record
/// (<c>invalid input syntax for type integer: "…"</c>); the SQLSTATE can't.
/// </summary>
internal static class SourceErrors
{
    private const string Allocation = "invalid memory alloc request size ";

    // A character takes four bytes at most, and an escape four more for each.
    private const ulong MostWanted = 16UL << 30;

    /// <summary>The code where a policy of the source would hide rows.</summary>
    public const string RowSecurity = ClaimCheck.Contracts.ProblemCodes.SourceRowSecurity;

    /// <summary>Runs something that talks to the source.</summary>
    /// <exception cref="ExportFailedException">The source failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, in whatever way the driver said it.</exception>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> action, CancellationToken cancellationToken)
    {
        try
        {
            return await action();
        }
        catch (Exception e) when (IsSourceError(e))
        {
            throw Translate(e, cancellationToken);
        }
    }

    public static bool IsSourceError(Exception exception) =>
        exception is NpgsqlException or SocketException or IOException or TimeoutException or ObjectDisposedException;

    public static Exception Translate(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        _ when cancellationToken.IsCancellationRequested => new OperationCanceledException(cancellationToken),
        PostgresException e => FromState(e),
        _ => new ExportFailedException(
            "source_unavailable", "The source can't be reached, or the connection to it broke.", isTransient: true),
    };

    /// <summary>Whether a policy would hide rows of the query from the role. The text may be in any language; the routine is not.</summary>
    public static bool IsRowSecurity(PostgresException e) =>
        e is { SqlState: PostgresErrorCodes.InsufficientPrivilege, Routine: "check_enable_rls" };

    /// <summary>
    /// Whether a value, or a record as text, is larger than the gigabyte that Postgres can make. What it asks its memory for by itself is
    /// never translated; sizes that no value could want are those of damaged ones.
    /// </summary>
    public static bool IsTooLarge(PostgresException e) =>
        e.SqlState == PostgresErrorCodes.ProgramLimitExceeded
        || (e.SqlState == PostgresErrorCodes.InternalError
            && e.MessageText.StartsWith(Allocation, StringComparison.Ordinal)
            && ulong.TryParse(e.MessageText.AsSpan(Allocation.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            && bytes < MostWanted);

    private static ExportFailedException FromState(PostgresException e) => e.SqlState switch
    {
        _ when IsRowSecurity(e) => Failed(
            RowSecurity,
            "A row-level security policy would hide rows of the query from the source's role: let the dataset say \"rowSecurity\": true to export what is "
            + "left, or give the role BYPASSRLS.",
            e,
            isTransient: false),
        _ when IsTooLarge(e) => new(
            OversizedRecord.Code,
            $"A value or a record is larger than the source's Postgres can send. (SQLSTATE {e.SqlState})",
            isTransient: false)
        {
            SourceLimit = e.SqlState,
        },
        PostgresErrorCodes.QueryCanceled when IsTimeout(e) =>
            Failed("source_query_timeout", "The query took longer than it may.", e, isTransient: false),
        PostgresErrorCodes.QueryCanceled =>
            Failed("source_query_cancelled", "The query was cancelled at the source.", e, isTransient: true),
        PostgresErrorCodes.LockNotAvailable =>
            Failed("source_unavailable", "A table of the query stayed locked.", e, isTransient: true),
        PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.TooManyConnections or "25P03" or "57P05" =>
            Failed("source_unavailable", "The source ended the session, or took none.", e, isTransient: true),
        ['0', '8', ..] =>
            Failed("source_unavailable", "The connection to the source broke.", e, isTransient: true),
        ['2', '8', ..] or PostgresErrorCodes.InvalidCatalogName =>
            Failed("source_unavailable", "The source refused the service's sign-in.", e, isTransient: true),
        // Serialization failures and deadlocks, and what standbys answer while they catch up.
        ['4', '0', ..] or ['5', '3', ..] or ['5', '5', ..] or ['5', '8', ..] =>
            Failed("source_query_failed", "The query gave way to other work, or the source ran out of something.", e, isTransient: true),
        _ => Failed("source_query_failed", "The query failed.", e, isTransient: false),
    };

    // A timeout has the state and the routine of a user's cancellation: only the text tells them apart. A server that speaks
    // another language thus has its timeouts tried again, as often as any transient failure.
    private static bool IsTimeout(PostgresException e) => e.MessageText.Contains("timeout", StringComparison.OrdinalIgnoreCase);

    // The original is not kept as the inner exception: it would take the message along into logs.
    private static ExportFailedException Failed(string code, string detail, PostgresException e, bool isTransient) =>
        new(code, $"{detail} (SQLSTATE {e.SqlState})", isTransient);
}
