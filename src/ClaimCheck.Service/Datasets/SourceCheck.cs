using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.RegularExpressions;
using ClaimCheck.Service.Exporting;
using Npgsql;

namespace ClaimCheck.Service.Datasets;

/// <summary>What a source says of a dataset's query.</summary>
internal abstract record SourceAnswer
{
    /// <summary>The query is sound and answers with these columns.</summary>
    internal sealed record Described(IReadOnlyList<ResultColumn> Columns) : SourceAnswer;

    /// <summary>Ask again later.</summary>
    internal sealed record Unreachable(string Reason) : SourceAnswer;

    /// <summary>The definition does not fit the database: the operator must mend one of them.</summary>
    internal sealed record Faulty(string Reason, string? Code = null) : SourceAnswer;
}

/// <summary>Holds a dataset against its source, without running the query.</summary>
internal static partial class SourceCheck
{
    // Beyond the connect timeout: a source that accepts and then says nothing must not hold up the start.
    private static readonly TimeSpan Patience = SourceDatabases.ConnectTimeout + TimeSpan.FromSeconds(5);

    // json, xml, point, lseg, path, box, polygon, line, circle, record, jsonb: without equality, or not one value.
    private static readonly HashSet<uint> NoKeys = [114, 142, 600, 601, 602, 603, 604, 628, 718, 2249, 3802];

    public static async Task<SourceAnswer> AskAsync(SourceDatabases sources, Dataset dataset, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            var source = sources.Get(dataset.Source);
            try
            {
                return await DescribeAsync(source, dataset, limit.Token);
            }
            catch (Exception e) when (e is NpgsqlException and not PostgresException or PostgresException { SqlState: PostgresErrorCodes.AdminShutdown })
            {
                // A connection of the pool that had died while nobody used it says nothing of the source: a new one does.
                return await DescribeAsync(source, dataset, limit.Token);
            }
        }
        catch (PostgresException e) when (SourceErrors.IsRowSecurity(e))
        {
            return new SourceAnswer.Faulty(
                $"a row-level security policy{Table(e)} hides rows from the role of {dataset.Source}, and a subset must not pass for the whole: say "
                + "\"rowSecurity\": true to export what the role sees, or read with a role that has BYPASSRLS",
                SourceErrors.RowSecurity);
        }
        catch (PostgresException e) when (!IsAway(e))
        {
            return new SourceAnswer.Faulty($"{dataset.Source} refuses the query: {e.MessageText} ({e.SqlState})");
        }
        catch (ArgumentException)
        {
            return new SourceAnswer.Faulty(
                $"ConnectionStrings:{dataset.Source} can't be read: write it as Host=…;Database=…;Username=…;Password=…");
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or IOException or TimeoutException or AuthenticationException)
        {
            return new SourceAnswer.Unreachable((e as PostgresException)?.MessageText ?? e.Message);
        }
        catch (ExportFailedException e)
        {
            return new SourceAnswer.Unreachable(e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new SourceAnswer.Unreachable($"{dataset.Source} said nothing for {Patience.TotalSeconds:0} seconds");
        }
    }

    private static async Task<SourceAnswer> DescribeAsync(NpgsqlDataSource source, Dataset dataset, CancellationToken cancellationToken)
    {
        await using var connection = source.CreateConnection();
        try
        {
            await connection.OpenAsync(cancellationToken);
        }
        catch (PostgresException e)
        {
            // No such database, no such role, starting up: nothing that the definition could mend.
            return new SourceAnswer.Unreachable($"{e.MessageText} ({e.SqlState})");
        }

        // A query is read as it will be when it runs: a policy, or a backslash in a string, counts here already.
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        await new SourceSettings(Patience, Patience, dataset.RowSecurity).ApplyAsync(connection, cancellationToken);
        var sql = SourceQuery.Render(dataset.Sql.Text, dataset.ParameterTypes, criteria: default);
        var columns = await ResultShape.DescribeAsync(connection, sql, cancellationToken);
        return Fault(dataset, columns) is { } fault ? new SourceAnswer.Faulty(fault) : new SourceAnswer.Described(columns);
    }

    // The server names the table in its text alone.
    private static string Table(PostgresException e) => QuotedName().Match(e.MessageText) is { Success: true } found ? $" of table {found.Groups["name"].Value}" : "";

    // Connection lost, too many of them, shutting down, cancelled by a timeout: the query is not to blame.
    private static bool IsAway(PostgresException e) =>
        e.IsTransient || e.SqlState[..2] is "08" or "53" or "57" or "58" || e.SqlState == PostgresErrorCodes.LockNotAvailable;

    private static string? Fault(Dataset dataset, IReadOnlyList<ResultColumn> columns)
    {
        if (columns.GroupBy(column => column.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            return $"two columns of its query are named {twice.Key}: rename one with AS";
        if (columns.FirstOrDefault(column => column.Name == dataset.Key) is not { } key)
            return $"its key is {dataset.Key}, but its query has only {string.Join(", ", columns.Select(column => column.Name))}";
        return key.Value.Element is not null || NoKeys.Contains(key.Value.Oid)
            ? $"its key {dataset.Key} is of type {key.Type}, whose values can't name a record"
            : null;
    }

    [GeneratedRegex("[\"«„“”](?<name>[^\"»“”]+)[\"»“”]", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex QuotedName();
}
