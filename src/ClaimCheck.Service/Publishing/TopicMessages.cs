using System.Text.Json;
using ClaimCheck.Aws;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Exports;
using Dapper;
using Npgsql;

namespace ClaimCheck.Service.Publishing;

/// <summary>Makes SNS messages of events: the envelope with a fresh link, and the same five attributes on each.</summary>
internal sealed class TopicMessages(NpgsqlDataSource catalog, EventEnvelopes envelopes, ManifestWriter manifests, PublishingOptions options)
{
    /// <returns>Null where it is a BulkReady whose batch is no longer ready.</returns>
    public async Task<OutgoingMessage?> MakeAsync(OutboxEvent row, CancellationToken cancellationToken)
    {
        ExportRow? batch = null;
        if (row.Type == EventTypes.BulkReady && (batch = await FindReadyAsync(new(row.BatchId!.Value), cancellationToken)) is null)
            return null;
        var envelope = await envelopes.MakeAsync(row, batch, cancellationToken);
        var isFifo = options.TopicArn!.EndsWith(".fifo", StringComparison.Ordinal);
        return new OutgoingMessage(JsonSerializer.Serialize(envelope, ClaimCheckJson.Options))
        {
            Attributes = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["type"] = row.Type,
                ["dataset"] = row.Dataset,
                ["tenant"] = row.Tenant,
                ["consumer"] = row.Consumer,
                ["traceparent"] = row.TraceParent,
            },
            GroupId = isFifo ? envelope.Subject : null,
            DeduplicationId = isFifo ? envelope.Id.ToString() : null,
        };
    }

    // After a long outage the links inside the manifest may be near their end, or past it: then it is written anew.
    private async Task<ExportRow?> FindReadyAsync(BatchId batch, CancellationToken cancellationToken)
    {
        var row = await ReadAsync(batch, cancellationToken);
        if (row?.EffectiveState != ExportState.Ready || row.ManifestRemaining > row.LinkLifetime / 2 || row.ManifestRemaining > row.Remaining - TimeSpan.FromMinutes(1))
            return row?.EffectiveState == ExportState.Ready ? row : null;
        if (await manifests.WriteAsync(batch, cancellationToken) is not { } linksExpireAt)
            return null;
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE exports SET manifest_expires_at = @linksExpireAt WHERE batch_id = @Id AND state = 'ready'",
            new { Id = batch.Value, linksExpireAt },
            cancellationToken: cancellationToken));
        row = await ReadAsync(batch, cancellationToken);
        return row?.EffectiveState == ExportState.Ready ? row : null;
    }

    private async Task<ExportRow?> ReadAsync(BatchId batch, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<ExportRow>(new CommandDefinition(
            $"SELECT {ExportRow.Columns} FROM exports WHERE batch_id = @Id",
            new { Id = batch.Value },
            cancellationToken: cancellationToken));
    }
}
