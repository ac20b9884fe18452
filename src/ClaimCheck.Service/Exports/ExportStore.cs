namespace ClaimCheck.Service.Exports;

/// <summary>An export that is to be created.</summary>
internal sealed record NewExport(FrozenDataset Dataset, ExportTerms Terms)
{
    /// <summary>The state that it begins in: for the workers, or open for its producer.</summary>
    public string State { get; init; } = ExportState.Pending;

    /// <summary>The batch whose transient failures it retries, or null.</summary>
    public Guid? RetryOf { get; init; }

    /// <summary>The one consumer that it is for, or <c>*</c>.</summary>
    public string Consumer { get; init; } = "*";
}

/// <summary>The exports in the catalog, as the API sees them: create, find, list.</summary>
internal sealed class ExportStore(NpgsqlDataSource catalog)
{
    /// <summary>The export that a key of this caller created before.</summary>
    public async Task<KnownKey?> FindByKeyAsync(Caller caller, string key, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        return await FindByKeyAsync(connection, caller, key, cancellationToken);
    }

    private static async Task<KnownKey?> FindByKeyAsync(
        NpgsqlConnection connection, Caller caller, string key, CancellationToken cancellationToken)
    {
        var known = await connection.QuerySingleOrDefaultAsync<(byte[] Meaning, Guid ExportId)?>(
            "SELECT meaning, export_id FROM idempotency_keys WHERE caller = @Caller AND key = @key",
            new { Caller = caller.KeyOwner, key },
            cancellationToken);
        return known is { } found ? new(found.Meaning, new(found.ExportId)) : null;
    }

    /// <summary>Creates an export.</summary>
    /// <returns>The new export, or the one that the key created before, even one that is being created at this moment.</returns>
    public async Task<CreatedExport> CreateAsync(
        Caller caller,
        NewExport export,
        string? key,
        byte[] meaning,
        CancellationToken cancellationToken,
        Func<Transaction, ExportRow, Task>? with = null)
    {
        var id = ExportId.New();
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        if (key is not null)
        {
            // The primary key makes a second request wait here until the first has committed.
            var taken = await transaction.ExecuteAsync(
                """
                INSERT INTO idempotency_keys (caller, key, meaning, export_id)
                VALUES (@Caller, @key, @meaning, @ExportId)
                ON CONFLICT (caller, key) DO NOTHING
                """,
                new { Caller = caller.KeyOwner, key, meaning, ExportId = id.Value },
                cancellationToken);
            // On this connection: if many that waited here each asked for a second one, the pool would be exhausted.
            if (taken == 0)
                return new((await FindByKeyAsync(transaction.Connection, caller, key, cancellationToken))!, null);
        }

        var row = await InsertAsync(transaction, id, caller, export, cancellationToken);
        if (with is not null)
            await with(transaction, row);
        await transaction.CommitAsync(cancellationToken);
        return new(null, row);
    }

    /// <summary>Creates an export, in a transaction that also writes the reason for it.</summary>
    public static Task<ExportRow> InsertAsync(
        Transaction transaction, ExportId id, Caller caller, NewExport export, CancellationToken cancellationToken) =>
        transaction.QuerySingleAsync<ExportRow>(
            $"""
            INSERT INTO exports (id, batch_id, tenant, caller, dataset, schema_version, definition, criteria,
                                 format, compression, max_file_bytes, link_lifetime, retention, state, retry_of,
                                 consumer, traceparent)
            VALUES (@Id, @BatchId, @Tenant, @Caller, @Dataset, @SchemaVersion, @Definition::json, @Criteria::json,
                    @Format, @Compression, @MaxFileBytes, @LinkLifetime, @Retention, @State, @RetryOf,
                    @Consumer, @TraceParent)
            RETURNING {ExportRow.Columns}
            """,
            new
            {
                Id = id.Value,
                BatchId = BatchId.New().Value,
                caller.Tenant,
                Caller = caller.Name,
                Dataset = export.Dataset.Name,
                export.Dataset.SchemaVersion,
                Definition = JsonSerializer.Serialize(export.Dataset, ClaimCheckJson.Options),
                Criteria = export.Terms.Criteria.GetRawText(),
                export.Terms.Format,
                export.Terms.Compression,
                export.Terms.MaxFileBytes,
                export.Terms.LinkLifetime,
                export.Terms.Retention,
                export.State,
                export.RetryOf,
                export.Consumer,
                TraceParent = System.Diagnostics.Activity.Current?.Id,
            },
            cancellationToken);

    public Task<ExportRow?> FindAsync(Caller caller, ExportId id, CancellationToken cancellationToken) =>
        catalog.QuerySingleOrDefaultAsync<ExportRow>(
            $"SELECT {ExportRow.Columns} FROM exports WHERE id = @Id AND tenant = @Tenant",
            new { Id = id.Value, caller.Tenant },
            cancellationToken);

    public Task<ExportRow?> FindAsync(Caller caller, BatchId id, CancellationToken cancellationToken) =>
        catalog.QuerySingleOrDefaultAsync<ExportRow>(
            $"SELECT {ExportRow.Columns} FROM exports WHERE batch_id = @Id AND tenant = @Tenant",
            new { Id = id.Value, caller.Tenant },
            cancellationToken);

    /// <summary>Those of the exports that are ready or have ended.</summary>
    public async Task<IEnumerable<ExportRow>> SettledAsync(Guid[] exports, CancellationToken cancellationToken) =>
        await catalog.ListAsync<ExportRow>(
            $"SELECT {ExportRow.Columns} FROM exports WHERE id = ANY(@exports) AND state NOT IN ('open', 'pending', 'running')",
            new { exports },
            cancellationToken);

    /// <summary>Newest first. Ids sort by creation, so that the last one of a page is where the next begins.</summary>
    public async Task<IReadOnlyList<ExportRow>> ListAsync(
        Caller caller, string? state, string? dataset, ExportId? before, int limit, CancellationToken cancellationToken)
    {
        // Each combination of filters has its index, exports_by_… or exports_listed, of which a page reads its own rows only.
        var within = "tenant = @Tenant" + (dataset is null ? "" : " AND dataset = @dataset")
            + (before is null ? "" : " AND id < @Before");
        const string newest = "ORDER BY id DESC NULLS LAST LIMIT @limit"; // the order of these indexes, not of the primary key
        var sql = state switch
        {
            null => $"SELECT {ExportRow.Columns} FROM exports WHERE {within} {newest}",
            ExportState.Ready =>
                $"SELECT {ExportRow.Columns} FROM exports WHERE {within} AND state = @state AND expires_at > now() {newest}",
            // Including the few that the retention worker has not reached yet.
            ExportState.Expired => $"""
                SELECT *
                  FROM ((SELECT {ExportRow.Columns} FROM exports WHERE {within} AND state = @state {newest})
                         UNION ALL
                        (SELECT {ExportRow.Columns} FROM exports
                          WHERE {within} AND state = 'ready' AND expires_at <= now())) expired
                {newest}
                """,
            _ => $"SELECT {ExportRow.Columns} FROM exports WHERE {within} AND state = @state {newest}",
        };
        return await catalog.ListAsync<ExportRow>(
            sql, new { caller.Tenant, Before = before?.Value, state, dataset, limit }, cancellationToken);
    }
}

/// <summary>What a key created before.</summary>
internal sealed record KnownKey(byte[] Meaning, ExportId ExportId);

/// <summary>One of the two is set.</summary>
internal sealed record CreatedExport(KnownKey? Known, ExportRow? New);
