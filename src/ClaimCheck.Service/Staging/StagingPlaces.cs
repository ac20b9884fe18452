namespace ClaimCheck.Service.Staging;

/// <summary>Keeps all processes of a catalog to one staging: a batch that one of them has staged elsewhere could be neither read
/// nor erased by the others. Each process records in the catalog where it stages, and renews that; one that has not renewed it
/// lately does not count.</summary>
internal sealed partial class StagingPlaces(
    NpgsqlDataSource catalog, StagingPlace place, ILogger<StagingPlaces> logger) : BackgroundService
{
    private const string Lease = "interval '20 seconds'";
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(500);

    private readonly Guid process = Guid.NewGuid();
    private string? name;
    private bool isSplit;

    private string Shown => $"{Environment.MachineName}, process {Environment.ProcessId}, {place.Shown}";

    /// <summary>Registers this process. A process with another place that may be dead is waited for, until it renews its entry or
    /// the entry expires.</summary>
    /// <exception cref="StartupException">A live process stages elsewhere.</exception>
    public async Task EnterAsync(CancellationToken cancellationToken)
    {
        try
        {
            name = place.Name();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The staging can't be identified: {e.Message}", e);
        }

        var seen = new Dictionary<Guid, DateTime>();
        while (await EnterOrSeeAsync(cancellationToken) is { } other)
        {
            if (seen.TryGetValue(other.ProcessId, out var before) && before != other.SeenAt)
            {
                throw new StartupException(
                    $"Another process of this catalog stages files elsewhere ({other.Shown}), and this one in {place.Shown}: "
                    + "neither could read or erase what the other has staged. Let all processes use one folder, shared between "
                    + $"them ({StagingOptions.Section}:Folder), or one bucket ({StagingOptions.Section}:Bucket).");
            }

            if (seen.TryAdd(other.ProcessId, other.SeenAt))
                Log.Waiting(logger, other.Shown);
            await Task.Delay(LookAgain, cancellationToken);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await catalog.ExecuteAsync(
                "DELETE FROM staging_places WHERE process_id = @process", new { process }, cancellationToken);
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e) || e is OperationCanceledException)
        {
            // The entry expires by itself.
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(StagingPlaces), LoopAsync, logger, stoppingToken);

    private async Task LoopAsync(CancellationToken stoppingToken)
    {
        while (name is not null && !stoppingToken.IsCancellationRequested)
        {
            try
            {
                await TellAsync(stoppingToken);
            }
            catch (Exception e) when (CatalogErrors.IsTransient(e))
            {
                // A process without a catalog stages nothing.
            }

            await Task.Delay(Heartbeat, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<Other?> EnterOrSeeAsync(CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // One at a time: of two that start at once with different places, the second sees the first.
        await connection.ExecuteAsync(
            "SELECT pg_advisory_xact_lock(@StagingPlaces)", new { AdvisoryLocks.StagingPlaces }, cancellationToken);
        var other = await OtherAsync(connection, cancellationToken);
        if (other is null)
            await WriteAsync(connection, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return other;
    }

    private async Task<Other?> OtherAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.QuerySingleOrDefaultAsync<Other>(
            $"""
            SELECT process_id, shown, seen_at
              FROM staging_places
             WHERE place <> @name AND process_id <> @process AND seen_at > clock_timestamp() - {Lease}
             ORDER BY seen_at DESC
             LIMIT 1
            """,
            new { name, process },
            cancellationToken);

    private Task WriteAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            $"""
            INSERT INTO staging_places (process_id, place, shown, seen_at)
            VALUES (@process, @name, @Shown, clock_timestamp())
            ON CONFLICT (process_id) DO UPDATE SET seen_at = clock_timestamp();
            DELETE FROM staging_places WHERE seen_at < clock_timestamp() - 3 * {Lease};
            """,
            new { process, name, Shown },
            cancellationToken);

    // A process that was paused for longer than its lease may find another place in use.
    private async Task TellAsync(CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        await WriteAsync(connection, cancellationToken);
        var other = await OtherAsync(connection, cancellationToken);
        if (other is not null && !isSplit)
            Log.Split(logger, other.Shown, place.Shown);
        isSplit = other is not null;
    }

    private sealed record Other(Guid ProcessId, string Shown, DateTime SeenAt);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information,
            "A process of this catalog staged files elsewhere a moment ago ({Other}); the start waits to see "
            + "whether it still runs.")]
        public static partial void Waiting(ILogger logger, string other);

        [LoggerMessage(LogLevel.Error,
            "Another process of this catalog stages files elsewhere ({Other}), and this one in {Place}: neither can read or "
            + "erase what the other has staged. Stop one of them.")]
        public static partial void Split(ILogger logger, string other, string place);
    }
}
