namespace ClaimCheck.Service.Receipts.Ledger;

/// <summary>The batch whose receipts are asked for.</summary>
/// <param name="Tenant">The tenant whose subscriptions count.</param>
/// <param name="Dataset">Subscriptions of this dataset get it.</param>
/// <param name="Consumer">The one consumer that it is for, or <c>*</c>.</param>
/// <param name="Delivery">The dataset's definition of success, or null.</param>
internal sealed record OverviewOf(BatchId Batch, string Tenant, string Dataset, string Consumer, DatasetDelivery? Delivery)
{
    public static OverviewOf Of(ExportRow batch) =>
        new(batch.Batch, batch.Tenant, batch.Dataset, batch.Consumer, batch.FrozenDataset.Delivery);
}

/// <summary>A consumer that should get a batch, or has reported on it.</summary>
/// <param name="Receipt">Its receipt, or null.</param>
/// <param name="FetchedAt">When it last fetched links, or null.</param>
/// <param name="Silence">The time since its last report, or since the batch became ready; null before that.</param>
internal sealed record ConsumerOutcome(string Consumer, ReceiptRow? Receipt, DateTimeOffset? FetchedAt, TimeSpan? Silence);

/// <summary>One row per consumer of a batch: those that should get it, and those that have reported on it.</summary>
internal sealed class ReceiptOverview(NpgsqlDataSource catalog)
{
    private const int MostInShort = 1000;

    /// <summary>Sorted by name.</summary>
    public async Task<IReadOnlyList<ConsumerOutcome>> ReadAsync(
        OverviewOf batch, string? only, string? after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<PlaceRow, ReceiptRow?, ConsumerOutcome>(new CommandDefinition(
            $"""
            WITH expected AS (
                SELECT unnest(@Named) AS consumer
                 UNION
                SELECT consumer FROM receipts WHERE batch_id = @Id
                 UNION
                SELECT consumer
                  FROM event_subscriptions
                 WHERE @IsForAll AND tenant = @Tenant AND disabled_at IS NULL
                   AND (datasets IS NULL OR @Dataset = ANY(datasets)) AND (types IS NULL OR 'BulkReady' = ANY(types))
            )
            SELECT x.consumer AS name, f.last_at AS fetched_at, now() - coalesce(r.updated_at, e.ready_at) AS silence,
                   {ReceiptRow.Columns}
              FROM expected x
              JOIN exports e ON e.batch_id = @Id
              LEFT JOIN receipts r ON r.batch_id = @Id AND r.consumer = x.consumer
              LEFT JOIN redemptions f ON f.batch_id = @Id AND f.caller = x.consumer
             WHERE (@only::text IS NULL OR x.consumer = @only) AND (@after::text IS NULL OR x.consumer COLLATE "C" > @after)
             ORDER BY x.consumer COLLATE "C"
             LIMIT @limit
            """,
            new
            {
                Id = batch.Batch.Value,
                batch.Tenant,
                batch.Dataset,
                IsForAll = batch.Consumer == "*",
                Named = batch.Consumer == "*" ? [.. batch.Delivery?.Consumers ?? []] : new[] { batch.Consumer },
                only,
                after,
                limit,
            },
            cancellationToken: cancellationToken),
            (place, receipt) => new(place.Name, receipt, place.FetchedAt, place.Silence),
            splitOn: "batch_id")).AsList();
    }

    /// <summary>The summary that a batch shows.</summary>
    public async Task<IReadOnlyList<ReceiptSummary>> InShortAsync(OverviewOf batch, CancellationToken cancellationToken) =>
        [.. (await ReadAsync(batch, null, null, MostInShort, cancellationToken)).Select(place => new ReceiptSummary(
            place.Consumer,
            place.Receipt?.State,
            place.Receipt?.Succeeded ?? 0,
            place.Receipt?.Transient ?? 0,
            place.Receipt?.Terminal ?? 0,
            place.Receipt?.UpdatedAt))];

    /// <summary>Whether the definition of success is met; null where there is none.</summary>
    public async Task<BatchDelivery?> DeliveryAsync(OverviewOf batch, CancellationToken cancellationToken)
    {
        if (batch.Delivery is null)
            return null;
        var found = await catalog.QuerySingleOrDefaultAsync<(string State, DateTimeOffset? DueAt, double Ratio, long Records)?>(
            """
            SELECT d.state, d.due_at, d.max_terminal_ratio, e.records
              FROM delivery_goals d
              JOIN exports e ON e.batch_id = d.batch_id
             WHERE d.batch_id = @Id
            """,
            new { Id = batch.Batch.Value },
            cancellationToken);
        if (found is not var (state, dueAt, ratio, records))
            return new(DeliveryGoals.Pending, batch.Delivery.Consumers, null); // not ready yet, or never
        var receipts = (await catalog.ListAsync<ReceiptRow>(
            $"SELECT {ReceiptRow.Columns} FROM receipts r WHERE batch_id = @Id AND consumer = ANY(@Consumers)",
            new { Id = batch.Batch.Value, Consumers = batch.Delivery.Consumers.ToArray() },
            cancellationToken)).ToDictionary(row => row.Consumer, StringComparer.Ordinal);
        return new(
            state,
            state == DeliveryGoals.Met ? [] : [.. batch.Delivery.Consumers.Where(
                consumer => !DeliveryGoals.Has(receipts.GetValueOrDefault(consumer), records, ratio))],
            dueAt);
    }

    private sealed record PlaceRow(string Name, DateTimeOffset? FetchedAt, TimeSpan? Silence);
}
