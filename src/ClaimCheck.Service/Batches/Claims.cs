namespace ClaimCheck.Service.Batches;

/// <summary>The result of a claim.</summary>
internal abstract record Claim<T>;

/// <summary>The batch is ready.</summary>
internal sealed record Redeemed<T>(T Value) : Claim<T>;

/// <summary>The batch is not ready yet.</summary>
internal sealed record NotReady<T> : Claim<T>;

/// <summary>The batch has ended, in this state.</summary>
internal sealed record Ended<T>(string State) : Claim<T>;

/// <summary>The batch, or file, does not exist for this caller.</summary>
internal sealed record Unknown<T> : Claim<T>;

/// <summary>Redeems claims. Checking the state, minting and recording who was served happen under one lock on the batch's row, so
/// that a revocation either comes first (and nothing is minted) or deletes what the links lead to afterwards.</summary>
internal sealed class Claims(NpgsqlDataSource catalog, ManifestBuilder manifests, LinkMinter minter)
{
    // An administrator can give any number of names: beyond the limit they are recorded as one.
    private const int MostCallers = 1000;

    private static readonly TimeSpan FileLinkLifetime = TimeSpan.FromMinutes(5);

    /// <summary>The manifest with fresh links.</summary>
    public Task<Claim<Manifest>> RedeemAsync(BatchId batch, Caller caller, CancellationToken cancellationToken) =>
        UnderLockAsync(batch, caller,
            async (row, files) => await manifests.BuildAsync(row, files, row.LinkLifetime, cancellationToken), cancellationToken);

    /// <summary>A link of a few minutes to one file, or its index, for the method that it was asked for with.</summary>
    public Task<Claim<Link>> RedeemFileAsync(
        BatchId batch, string name, string method, Caller caller, CancellationToken cancellationToken) =>
        UnderLockAsync(
            batch,
            caller,
            async (row, files) => Find(files, name) is { } file
                ? (await minter.MintAsync(
                    row.Ready, StagingKeys.File(batch, file.Attempt, name), FileLinkLifetime, method, cancellationToken)).Link
                : null,
            cancellationToken);

    /// <summary>One file, or its index, for the endpoint that streams it through the service.</summary>
    public Task<Claim<StreamedContent>> RedeemStoredFileAsync(
        BatchId batch, string name, Caller caller, CancellationToken cancellationToken) =>
        UnderLockAsync(
            batch,
            caller,
            (row, files) => Task.FromResult(
                Find(files, name) is { } file ? StreamedContent.Of(new ReadableBatch(row, files), file, name) : null),
            cancellationToken);

    /// <summary>The batch and its files, for the endpoints that stream them through the service.</summary>
    public Task<Claim<ReadableBatch>> RedeemDataAsync(BatchId batch, Caller caller, CancellationToken cancellationToken) =>
        UnderLockAsync(batch, caller, (row, files) => Task.FromResult<ReadableBatch?>(new(row, files)), cancellationToken);

    private static FileRow? Find(IReadOnlyList<FileRow> files, string name) =>
        files.FirstOrDefault(file => file.Name == name || file.IndexName == name);

    private async Task<Claim<T>> UnderLockAsync<T>(
        BatchId batch, Caller caller, Func<ExportRow, IReadOnlyList<FileRow>, Task<T?>> mint, CancellationToken cancellationToken)
        where T : class
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        // First without a lock: callers that ask too early, or too late, must not delay workers and sweeps.
        var row = await FindAsync("");
        if (row?.EffectiveState == ExportState.Ready)
        {
            await BatchQueue.ShareAsync(transaction, batch, cancellationToken);
            row = await FindAsync("FOR SHARE");
        }

        if (row is null)
            return new Unknown<T>();
        if (ExportState.IsEnd(row.EffectiveState))
            return new Ended<T>(row.EffectiveState);
        if (row.EffectiveState != ExportState.Ready)
            return new NotReady<T>();

        var files = await FileRow.OfAsync(batch.Value, transaction.Connection, cancellationToken);
        if (await mint(row, files) is not { } minted)
            return new Unknown<T>();
        await transaction.ExecuteAsync(
            """
            INSERT INTO redemptions (batch_id, caller)
            SELECT @BatchId,
                   CASE WHEN EXISTS (SELECT FROM redemptions WHERE batch_id = @BatchId AND caller = @Caller)
                          OR (SELECT count(*) FROM redemptions WHERE batch_id = @BatchId) < @MostCallers THEN @Caller
                        ELSE @Others END
            ON CONFLICT (batch_id, caller) DO UPDATE SET times = redemptions.times + 1, last_at = now()
            """,
            new { BatchId = batch.Value, Caller = caller.Name, MostCallers, Redemption.Others },
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new Redeemed<T>(minted);

        Task<ExportRow?> FindAsync(string locking) => transaction.QuerySingleOrDefaultAsync<ExportRow>(
            $"SELECT {ExportRow.Columns} FROM exports WHERE batch_id = @BatchId AND tenant = @Tenant {locking}",
            new { BatchId = batch.Value, caller.Tenant },
            cancellationToken);
    }
}

/// <summary>A batch that was ready a moment ago, and its files.</summary>
internal sealed record ReadableBatch(ExportRow Row, IReadOnlyList<FileRow> Files);
