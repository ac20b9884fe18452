namespace ClaimCheck.Service.Exporting;

/// <summary>How an export's source is to be read. Decided in one place for an export and for its dry run, so that the one does
/// what the other says.</summary>
internal sealed record SourceReading
{
    /// <summary>The query's columns, which are those that the dataset was frozen with.</summary>
    public required IReadOnlyList<ResultColumn> Columns { get; init; }

    /// <summary>The one of them that names a record.</summary>
    public required ResultColumn Key { get; init; }

    /// <summary>The planner's estimate of all records; null where it can't be read, and for a retry, of which the plan of the
    /// whole query says nothing.</summary>
    public long? Expected { get; init; }

    /// <summary>Whether all keys have to be compared, because nothing else guarantees that they differ.</summary>
    public bool IsDoubtful { get; init; }

    /// <summary>How several sessions can read it, where the source has connections for them.</summary>
    public required RangeCut Cut { get; init; }

    /// <param name="session">The snapshot. What is read is locked.</param>
    /// <param name="dataset">The dataset, frozen.</param>
    /// <param name="criteria">Its canonical criteria.</param>
    /// <param name="sql">Its query with these values.</param>
    /// <param name="isRetry">Whether only some keys are asked for: the records are compared with these, and read in one
    /// stream.</param>
    /// <param name="options">How many connections there are, and how large a range is.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="SourceException">The source failed, or its columns are others by now.</exception>
    public static async Task<SourceReading> DecideAsync(
        SourceSession session, FrozenDataset dataset, JsonElement criteria, string sql, bool isRetry, ExportingOptions options,
        CancellationToken cancellationToken)
    {
        var columns = await session.DescribeAsync(sql, cancellationToken);
        Compare(dataset.Columns, columns);
        var key = columns.Single(column => column.Name == dataset.Key);
        var whole = new SourceReading { Columns = columns, Key = key, Cut = RangeCut.None };
        if (isRetry)
            return whole;

        whole = whole with
        {
            Expected = await session.EstimateAsync(sql, cancellationToken),
            IsDoubtful = await IsDoubtfulAsync(session, sql, dataset, key, cancellationToken),
        };
        return whole.IsDoubtful || options.Connections == 1 ? whole : whole with
        {
            Cut = await session.CutAsync(
                new()
                {
                    Sql = sql,
                    Table = dataset.Table,
                    Render = range => SourceQuery.Render(range, dataset.Parameters, criteria),
                    Columns = columns,
                    Key = key,
                    OrderedBy = dataset.OrderedBy,
                    RangeBytes = options.RangeBytes,
                },
                cancellationToken),
        };
    }

    private static async Task<bool> IsDoubtfulAsync(
        SourceSession session, string sql, FrozenDataset dataset, ResultColumn key, CancellationToken cancellationToken)
    {
        if (dataset.TrustsKey || (dataset.OrderedBy == key.Name && await session.AreNeighboursAsync(key, cancellationToken)))
            return false;
        return !await session.VouchesForAsync(key, sql, cancellationToken);
    }

    private static void Compare(IReadOnlyList<Column> frozen, IReadOnlyList<ResultColumn> found)
    {
        var had = frozen.Select(column => $"{column.Name} {column.Type}").ToList();
        var has = found.Select(column => $"{column.Name} {column.Type}").ToList();
        if (had.SequenceEqual(has, StringComparer.Ordinal))
            return;
        var (gone, added) = (had.Except(has, StringComparer.Ordinal).ToList(), has.Except(had, StringComparer.Ordinal).ToList());
        var how = gone.Count + added.Count == 0
            ? "they come in another order"
            : $"missing: ({BoundedText.List(gone)}), new: ({BoundedText.List(added)})";
        throw new SourceException(
            "schema_changed",
            $"The query's columns are not what they were when the export was asked for: {how}.",
            isTransient: false);
    }
}
