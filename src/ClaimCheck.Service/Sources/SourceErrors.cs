namespace ClaimCheck.Service.Sources;

/// <summary>Classifies a source's failures. The server's own message is passed on only where it can't quote a record (<c>invalid
/// input syntax for type integer: "…"</c> would); see <see cref="DatabaseStates"/>.</summary>
internal static class SourceErrors
{
    private const string Allocation = "invalid memory alloc request size ";

    // A character takes four bytes at most, and an escape four more for each.
    private const ulong MostWanted = 16UL << 30;

    /// <summary>The code where a policy of the source would hide rows.</summary>
    public const string RowSecurity = ClaimCheck.Contracts.ProblemCodes.SourceRowSecurity;

    private const string Unavailable = "source_unavailable";
    private const string Failed = "source_query_failed";

    /// <summary>Runs an action that uses the source.</summary>
    /// <exception cref="SourceException">The source failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, however the driver reports it.</exception>
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

    public static bool IsSourceError(Exception exception) => DatabaseFailure.Is(exception);

    public static Exception Translate(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        _ when cancellationToken.IsCancellationRequested => new OperationCanceledException(cancellationToken),
        PostgresException e => FromState(e),
        _ => new SourceException(Unavailable, DatabaseFailure.Of(exception).Text, isTransient: true),
    };

    /// <summary>Whether a policy would hide rows of the query from the role. The message may be in any language; the routine's
    /// name is not.</summary>
    public static bool IsRowSecurity(PostgresException e) =>
        e is { SqlState: PostgresErrorCodes.InsufficientPrivilege, Routine: "check_enable_rls" };

    /// <summary>Whether a value, or a record as text, is larger than the gigabyte that Postgres can allocate. This message of its
    /// allocator is never translated; sizes beyond what any value could need indicate damaged ones.</summary>
    public static bool IsTooLarge(PostgresException e) =>
        e.SqlState == PostgresErrorCodes.ProgramLimitExceeded
        || (e.SqlState == PostgresErrorCodes.InternalError
            && e.MessageText.StartsWith(Allocation, StringComparison.Ordinal)
            && ulong.TryParse(
                e.MessageText.AsSpan(Allocation.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            && bytes < MostWanted);

    private static SourceException FromState(PostgresException e)
    {
        if (IsRowSecurity(e))
        {
            return new(
                RowSecurity,
                "A row-level security policy would hide rows of the query from the source's role: set \"rowSecurity\": true to "
                + $"export what is visible, or give the role BYPASSRLS. (SQLSTATE {e.SqlState})",
                isTransient: false);
        }

        if (IsTooLarge(e))
        {
            return new(
                OversizedRecord.Code,
                $"A value or a record is larger than the source's Postgres can send. (SQLSTATE {e.SqlState})",
                isTransient: false)
            {
                SourceLimit = e.SqlState,
            };
        }

        var failure = DatabaseFailure.Of(e);
        var (code, isTransient) = (failure.Trouble, e.SqlState) switch
        {
            (Trouble.Unreachable or Trouble.SignIn or Trouble.Ended, _) => (Unavailable, true),
            (_, PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.LockNotAvailable) => (Unavailable, true),
            (Trouble.TimedOut, _) => ("source_query_timeout", false),
            (Trouble.Cancelled, _) => ("source_query_cancelled", true),
            // Serialization failures and deadlocks, and the errors of standbys that catch up.
            (Trouble.Exhausted or Trouble.Conflict or Trouble.NotNow or Trouble.System, _) => (Failed, true),
            _ => (Failed, false),
        };
        // The original is not kept as the inner exception: its message would reach logs.
        return new(code, failure.Text, isTransient);
    }
}
