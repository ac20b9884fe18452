using System.Data;
using System.Net.Sockets;
using System.Security.Authentication;

namespace ClaimCheck.Service.Datasets;

/// <summary>A source's answer about a dataset's query.</summary>
internal abstract record SourceAnswer
{
    /// <summary>The query is valid and returns these columns.</summary>
    internal sealed record Described(IReadOnlyList<ResultColumn> Columns) : SourceAnswer;

    /// <summary>The source could not be asked; ask again later.</summary>
    /// <param name="Reason">For the log: it may name hosts and users.</param>
    /// <param name="Told">For callers: it names neither.</param>
    /// <param name="IsSourceAway">Whether any other query would get the same answer.</param>
    /// <param name="HasAnswered">Whether the source answers, but refuses.</param>
    internal sealed record Unreachable(
        string Reason, string Told, bool IsSourceAway = false, bool HasAnswered = false) : SourceAnswer
    {
        public Unreachable(Exception e, bool isSourceAway = false)
            : this(
                e is PostgresException said ? $"{said.MessageText} ({said.SqlState})" : e.Message.TrimEnd('.'),
                e is SourceException ? e.Message : DatabaseFailure.Of(e).Text,
                isSourceAway,
                e is PostgresException)
        {
        }
    }

    /// <summary>The definition does not fit the database: the operator must fix one of them.</summary>
    /// <param name="Reason">As the end of a sentence.</param>
    /// <param name="Line">Of the query, where the database names one.</param>
    /// <param name="Code">The reason's own code, where it has one.</param>
    /// <param name="Field">The JSON's field, where one is at fault.</param>
    /// <param name="IsInSql">Whether the query is at fault, on whichever line.</param>
    internal sealed record Faulty(
        string Reason, int? Line = null, string? Code = null, string? Field = null, bool IsInSql = false) : SourceAnswer
    {
        /// <summary>A failure that the service itself did not expect: its log tells more.</summary>
        public Exception? Defect { get; init; }
    }
}

/// <summary>Checks a dataset against its source, without running the query.</summary>
internal static partial class SourceCheck
{
    // Beyond the connect timeout: a source that accepts a connection and then does not answer must not delay the start.
    private static readonly TimeSpan Patience = SourceDatabases.ConnectTimeout + TimeSpan.FromSeconds(5);

    // A table that is being altered is waited for only briefly: other datasets wait too.
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(3);

    // A planner that takes longer, for a constant that it computes, says nothing: such a query is judged by its text.
    private static readonly TimeSpan PlanPatience = TimeSpan.FromSeconds(3);

    // json, xml, point, lseg, path, box, polygon, line, circle, record, jsonb: types without equality, or not a single value.
    private static readonly HashSet<uint> NoKeys = [114, 142, 600, 601, 602, 603, 604, 628, 718, 2249, 3802];

    /// <summary>Throws nothing: whatever fails makes this dataset unavailable.</summary>
    public static async Task<SourceAnswer> AskAsync(SourceDatabases sources, Dataset dataset)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            var source = sources.Get(dataset.Source);
            try
            {
                return await DescribeAsync(source, dataset, limit.Token);
            }
            catch (Exception e) when (e is NpgsqlException and not PostgresException
                or PostgresException { SqlState: PostgresErrorCodes.AdminShutdown })
            {
                // A pooled connection that died while idle says nothing about the source: a new one does.
                return await DescribeAsync(source, dataset, limit.Token);
            }
        }
        catch (PostgresException e) when (SourceErrors.IsRowSecurity(e))
        {
            return new SourceAnswer.Faulty(
                $"a row-level security policy{Table(e)} hides rows from the role of {dataset.Source}, and a subset must not pass "
                + "for the whole: set \"rowSecurity\": true to export what the role sees, or read with a role that has BYPASSRLS",
                Code: SourceErrors.RowSecurity);
        }
        catch (PostgresException e) when (!IsAway(e))
        {
            return new SourceAnswer.Faulty(
                $"{dataset.Source} refuses the query: {e.MessageText} ({e.SqlState})", LineOf(e, dataset), IsInSql: true);
        }
        catch (ArgumentException)
        {
            return new SourceAnswer.Faulty(
                $"ConnectionStrings:{dataset.Source} can't be read: write it as Host=…;Database=…;Username=…;Password=…",
                Field: "source");
        }
        catch (Exception e)
            when (e is NpgsqlException or SocketException or IOException or TimeoutException or AuthenticationException)
        {
            return new SourceAnswer.Unreachable(e);
        }
        catch (SourceException e) when (!e.IsTransient)
        {
            return new SourceAnswer.Faulty(e.Message.TrimEnd('.'), Code: e.Code);
        }
        catch (SourceException e)
        {
            return new SourceAnswer.Unreachable(e);
        }
        catch (OperationCanceledException)
        {
            var silence = $"it did not answer for {Patience.TotalSeconds:0} seconds";
            return new SourceAnswer.Unreachable(silence, $"I{silence[1..]}.");
        }
        catch (Exception e)
        {
            return new SourceAnswer.Faulty($"its query can't be checked against {dataset.Source}: an unexpected "
                + $"{e.GetType().Name} occurred, which is logged")
            {
                Defect = e,
            };
        }
    }

    private static async Task<SourceAnswer> DescribeAsync(
        NpgsqlDataSource source, Dataset dataset, CancellationToken cancellationToken)
    {
        await using var connection = source.CreateConnection();
        try
        {
            await connection.OpenAsync(cancellationToken);
        }
        catch (PostgresException e)
        {
            // The database or role is missing, or the server is starting up: the definition could not fix that.
            return new SourceAnswer.Unreachable(e, isSourceAway: true);
        }
        catch (Exception e)
            when (e is NpgsqlException or SocketException or IOException or TimeoutException or AuthenticationException)
        {
            return new SourceAnswer.Unreachable(e, isSourceAway: true);
        }

        // Read as an export reads it: policies, and backslashes in strings, have the same effect here.
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await new SourceSettings(Patience, LockPatience, dataset.RowSecurity).ApplyAsync(connection, cancellationToken);
        var sql = SourceQuery.Render(dataset.Sql.Text, dataset.ParameterTypes, criteria: default);
        var columns = await ResultShape.DescribeAsync(connection, sql, cancellationToken);
        var fault = await PlanFaultAsync(connection, dataset, sql, cancellationToken) is { } writes
            ? new SourceAnswer.Faulty(writes, IsInSql: true)
            : Fault(dataset, columns);
        return fault is null ? new SourceAnswer.Described(columns) : fault;
    }

    // Planned without a value for any parameter: an error that values might avoid is not reported yet.
    private static async Task<string?> PlanFaultAsync(
        NpgsqlConnection connection, Dataset dataset, string sql, CancellationToken cancellationToken)
    {
        try
        {
            await using (var limit = new NpgsqlCommand(
                $"SET LOCAL statement_timeout = {(long)PlanPatience.TotalMilliseconds}", connection))
                await limit.ExecuteNonQueryAsync(cancellationToken);
            var plan = await QueryPlan.ReadAsync(connection, "VERBOSE, COSTS OFF", sql, cancellationToken);
            return QueryWrites.In(dataset.Sql, plan ?? default);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled
            || (!IsAway(e) && e.SqlState[..2] is not ("42" or "0A" or "25")))
        {
            return QueryWrites.In(dataset.Sql, default);
        }
    }

    // The server names the table in its message only.
    private static string Table(PostgresException e) =>
        QuotedName().Match(e.MessageText) is { Success: true } found ? $" of table {found.Groups["name"].Value}" : "";

    // Connection lost, too many connections, shutting down, cancelled by a timeout: the query is not at fault.
    private static bool IsAway(PostgresException e) =>
        e.IsTransient || DatabaseFailure.Of(e).Trouble is Trouble.Unreachable or Trouble.SignIn or Trouble.Exhausted
            or Trouble.Ended or Trouble.System
            or Trouble.Conflict or Trouble.TimedOut or Trouble.Cancelled;

    // The rendered query has the same lines as the definition: literals for missing parameters add none.
    private static int? LineOf(PostgresException e, Dataset dataset)
    {
        if (e.Position <= 0)
            return null;
        var sql = SourceQuery.Render(dataset.Sql.Text, dataset.ParameterTypes, criteria: default);
        return sql.AsSpan(0, Math.Min(e.Position - 1, sql.Length)).Count('\n') + 1;
    }

    private static SourceAnswer.Faulty? Fault(Dataset dataset, IReadOnlyList<ResultColumn> columns)
    {
        if (columns.GroupBy(column => column.Name, StringComparer.Ordinal)
            .FirstOrDefault(group => group.Count() > 1) is { } twice)
            return new($"two columns of its query are named {twice.Key}: rename one with AS", IsInSql: true);
        if (columns.FirstOrDefault(column => column.Name == dataset.Key) is not { } key)
            return new(
                $"its key is {dataset.Key}, but its query has only {string.Join(", ", columns.Select(column => column.Name))}",
                Field: "key");
        return key.Value.Element is not null || NoKeys.Contains(key.Value.Oid)
            ? new($"its key {dataset.Key} is of type {key.Type}, whose values can't name a record", Field: "key")
            : null;
    }

    [GeneratedRegex("[\"«„“”](?<name>[^\"»“”]+)[\"»“”]", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex QuotedName();
}
