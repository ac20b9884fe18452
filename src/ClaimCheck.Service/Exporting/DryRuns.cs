using System.Collections.Concurrent;

namespace ClaimCheck.Service.Exporting;

/// <summary>How a source would be read, found without reading it.</summary>
/// <param name="Expected">The planner's estimate of all records, or null where it can't be read.</param>
/// <param name="Ranges">How the query would be cut.</param>
internal sealed record DryRun(long? Expected, ExportRanges Ranges);

/// <summary>Plans an export at its source as a worker would, while the caller waits.</summary>
internal sealed class DryRuns(SourceDatabases sources, ExportingOptions options)
{
    // Of one source: callers who ask must not take the connections that exports read with.
    private const int AtOnce = 2;

    // A table that is being altered is waited for only briefly.
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<string, SemaphoreSlim> places = new(StringComparer.Ordinal);

    /// <summary>How long a source may take: a caller waits for the answer.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <exception cref="SourceException">As the export's would be; <c>source_unavailable</c> too where the source takes too
    /// long.</exception>
    public async Task<DryRun> PlanAsync(FrozenDataset dataset, JsonElement criteria, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        var place = places.GetOrAdd(dataset.Source, _ => new(AtOnce));
        try
        {
            await place.WaitAsync(limit.Token);
            try
            {
                return await ReadPlanAsync(dataset, criteria, limit.Token);
            }
            finally
            {
                place.Release();
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw TooSlow(dataset);
        }
        catch (SourceException e) when (e.Code == "source_query_timeout")
        {
            throw TooSlow(dataset);
        }
    }

    private SourceException TooSlow(FrozenDataset dataset) =>
        new(
            ProblemCodes.SourceUnavailable,
            $"The source {dataset.Source} did not plan the query within {Patience.TotalSeconds:0} seconds.",
            isTransient: true);

    private async Task<DryRun> ReadPlanAsync(FrozenDataset dataset, JsonElement criteria, CancellationToken cancellationToken)
    {
        var sql = SourceQuery.Render(dataset.Sql, dataset.Parameters, criteria);
        await using var session = await SourceSession.OpenAsync(
            () => sources.Get(dataset.Source), new(Patience, LockPatience, dataset.RowSecurity), cancellationToken);
        var reading = await SourceReading.DecideAsync(
            session, dataset, criteria, sql, isRetry: false, options, cancellationToken);
        return new(reading.Expected, reading.Cut.Shown);
    }
}
