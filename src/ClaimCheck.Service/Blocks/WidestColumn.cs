namespace ClaimCheck.Service.Blocks;

/// <summary>Looks for the column of a query whose value the source could not send. In a session of its own: the one that failed
/// can't be used. Bounded in time, since it reads the query's rows once more; a failure has a message without it
/// too.</summary>
internal static class WidestColumn
{
    private const uint Bytea = 17;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <returns>Null where it can't be determined.</returns>
    public static async Task<string?> FindAsync(
        Func<NpgsqlDataSource> source, SourceSettings settings, string sql, IReadOnlyList<ResultColumn> columns,
        CancellationToken cancellationToken)
    {
        using var soon = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        soon.CancelAfter(Patience);
        try
        {
            var bounded =
                settings with { StatementTimeout = settings.StatementTimeout < Patience ? settings.StatementTimeout : Patience };
            var all = await MeasureAsync(Enumerable.Range(0, columns.Count));
            if (all is not null)
                return columns[Array.IndexOf(all, all.Max())].Name;
            // One of them can't even be measured: queried alone, it fails again. Where all of them do, the query computes columns
            // that are not selected too.
            var failing = new List<string>();
            for (var i = 0; i < columns.Count; i++)
            {
                if (await MeasureAsync([i]) is null)
                    failing.Add(columns[i].Name);
            }

            return failing.Count > 0 && (failing.Count < columns.Count || columns.Count == 1) ? failing[0] : null;

            // Each in a session of its own: a value that is too large may end it.
            async Task<long[]?> MeasureAsync(IEnumerable<int> which)
            {
                await using var session = await SourceSession.OpenAsync(source, bounded, soon.Token);
                return await session.MeasureAsync(Query(sql, columns, which), soon.Token);
            }
        }
        catch (SourceException)
        {
            // The source has other problems now.
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It takes too long.
        }

        return null;
    }

    private static string Query(string sql, IReadOnlyList<ResultColumn> columns, IEnumerable<int> which)
    {
        var sizes = which.Select(i => columns[i].Value.Oid == Bytea
            ? $"max(2 * pg_catalog.octet_length(c{i})::bigint)"
            : $"max(pg_catalog.octet_length(c{i}::text)::bigint)");
        return $"SELECT {string.Join(", ", sizes)} FROM ({sql}\n) AS q ({string.Join(", ", columns.Select((_, i) => $"c{i}"))})";
    }
}
