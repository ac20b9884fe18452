using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Hosting;
using Dapper;
using Npgsql;

namespace ClaimCheck.Service.Revocation;

/// <summary>What is known of a batch's end: the report, and who had fetched links.</summary>
internal sealed class RevocationReports(ExportStore exports, NpgsqlDataSource catalog, CatalogSignals signals, TimeProvider time, IHostApplicationLifetime lifetime)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    /// <summary>The report, as soon as the deletion is verified, or as far as it is when the time is up.</summary>
    public async Task<RevocationReport> WaitAsync(Caller caller, BatchId batch, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var signal = signals.Listen(CatalogSignals.Of(batch));
        var began = time.GetTimestamp();
        while (true)
        {
            var report = await ReadAsync(caller, batch, cancellationToken);
            var left = atMost - time.GetElapsedTime(began);
            if (report.VerifiedAt is not null || left <= TimeSpan.Zero)
                return report;
            try
            {
                await signal.WaitAsync(left < LookAgain ? left : LookAgain, stopping.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return report;
            }
        }
    }

    public async Task<IReadOnlyList<Redemption>> RedeemedAsync(BatchId batch, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<(string Caller, long Times, DateTimeOffset LastAt)>(new CommandDefinition(
            "SELECT caller, times, last_at FROM redemptions WHERE batch_id = @Id ORDER BY last_at DESC",
            new { Id = batch.Value },
            cancellationToken: cancellationToken)))
            .Select(row => new Redemption(row.Caller, row.Times, row.LastAt)).ToList();
    }

    public async Task<DateTimeOffset?> VerifiedAtAsync(BatchId batch, CancellationToken cancellationToken) =>
        (await FindDeletionAsync(batch, cancellationToken))?.VerifiedAt;

    private async Task<RevocationReport> ReadAsync(Caller caller, BatchId batch, CancellationToken cancellationToken)
    {
        var row = await exports.FindAsync(caller, batch, cancellationToken)
            ?? throw new InvalidOperationException($"{batch} has disappeared.");
        var deletion = await FindDeletionAsync(batch, cancellationToken);
        var probes = deletion is null ? [] : JsonSerializer.Deserialize<List<Probe>>(deletion.Probes, ClaimCheckJson.Options)!;
        return new()
        {
            BatchId = batch,
            State = row.State,
            Reason = row.Reason,
            RevokedAt = row.EndedAt,
            RevokedBy = row.EndedBy,
            VerifiedAt = deletion?.VerifiedAt,
            Objects = new(deletion?.Deleted ?? 0, deletion?.Remaining ?? 0, deletion?.UploadsAborted ?? 0),
            Probes = [.. probes.Select(probe => new LinkProbe(probe.Key[(probe.Key.LastIndexOf('/') + 1)..], probe.Before, probe.After, probe.At))],
            Redeemed = await RedeemedAsync(batch, cancellationToken),
            Cascaded = [.. (deletion?.Cascaded ?? []).Select(id => new BatchId(id))],
            Pending = deletion?.PendingReason,
        };
    }

    private async Task<DeletionRow?> FindDeletionAsync(BatchId batch, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<DeletionRow>(new CommandDefinition(
            """
            SELECT probes::text AS probes, deleted, remaining, uploads_aborted, cascaded, pending_reason, verified_at
              FROM deletions
             WHERE batch_id = @Id
            """,
            new { Id = batch.Value },
            cancellationToken: cancellationToken));
    }

    private sealed record DeletionRow
    {
        public required string Probes { get; init; }
        public required long Deleted { get; init; }
        public required long Remaining { get; init; }
        public required long UploadsAborted { get; init; }
        public required Guid[] Cascaded { get; init; }
        public string? PendingReason { get; init; }
        public DateTimeOffset? VerifiedAt { get; init; }
    }
}
