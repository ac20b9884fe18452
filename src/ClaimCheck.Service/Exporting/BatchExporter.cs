using System.Collections.Concurrent;

namespace ClaimCheck.Service.Exporting;

/// <summary>Turns one export's rows into staged files: a snapshot, a COPY, blocks, files.</summary>
internal sealed class BatchExporter(
    SourceDatabases sources, MultipartUploads uploads, RetryKeys rounds, ExportMemory memory, ExportingOptions options)
    : IBatchStager
{
    public RecordOrigin Origin => RecordOrigin.Query;

    public Task<StagedBatch> StageAsync(ExportPlan plan, ExportMeter meter, CancellationToken cancellationToken) =>
        ExportAsync(
            plan,
            SourceQuery.Render(plan.Dataset.Sql, plan.Dataset.Parameters, plan.Criteria),
            () => sources.Get(plan.Dataset.Source),
            options,
            async (name, content, token) =>
                await uploads.OpenAsync(plan.BatchId, plan.Attempt, plan.LeaseToken, name, content, token)
                ?? throw new LeaseLostException(),
            meter,
            plan.RetryOf is null ? null : rounds,
            memory,
            cancellationToken);

    /// <summary>The same without a catalog, except for the keys of a retry.</summary>
    internal static async Task<StagedBatch> ExportAsync(
        ExportPlan plan,
        string sql,
        Func<NpgsqlDataSource> source,
        ExportingOptions options,
        OpenStaged open,
        ExportMeter meter,
        RetryKeys? rounds,
        ExportMemory memory,
        CancellationToken cancellationToken)
    {
        var settings = new SourceSettings(options.StatementTimeout, options.LockTimeout, plan.Dataset.RowSecurity);
        await using var session = await SourceSession.OpenAsync(source, settings, cancellationToken);
        var reading = await SourceReading.DecideAsync(
            session, plan.Dataset, plan.Criteria, sql, isRetry: rounds is not null, options, cancellationToken);
        var (columns, key, cut) = (reading.Columns, reading.Key, reading.Cut);
        if (reading.Expected is { } expected)
            meter.Estimated(expected);
        var wanted = rounds is null ? null : new WantedKeys(key, plan.Format);
        using var distinct = reading.IsDoubtful ? new DistinctKeys(memory.Keys) : null;
        using var further = memory.Take(
            Math.Clamp(cut.Queries.Count, 1, options.Connections) - 1, haveFiles: cut.By == RangesBy.Key);
        await using var sessions = await SourceSessions.OpenAsync(
            session, 1 + further.Count, bypassing: wanted is null && reading.Expected >= options.BypassRecords,
            cancellationToken);
        if (sessions.Readers.Count == 1)
            cut = RangeCut.None;
        meter.Cut(cut.Shown);

        var target = BlockBuilder.TargetFor(plan.MaxFileBytes);
        var buffers = memory.Blocks;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var left = new ConcurrentQueue<(string Sql, int? Number)>(
            cut.Queries.Select((range, at) => (range, cut.By == RangesBy.Key ? at + 1 : (int?)null)));
        var keys = new List<KeyCheck>();
        var lanes = sessions.Readers.Select(Lane).ToList();
        var sealer = new BlockSealer(buffers, plan.Framing);
        var (header, extension, contentType) = (lanes[0].Format.Header, lanes[0].Format.Extension, lanes[0].Format.ContentType);
        var layout = PartLayout.Of(sealer, header, extension, contentType, plan.MaxFileBytes);
        // What has an order of its own has files of its own, so that lanes need not wait for each other.
        await using var files = new PartSets(
            [.. lanes.Take(cut.By == RangesBy.Key ? lanes.Count : 1).Select(_ => new PartFiles(layout, open, meter))]);
        try
        {
            await new BlockPipeline(lanes, sealer, buffers).RunAsync(files, stop);
        }
        catch (SourceException e) when (e.SourceLimit is { } state)
        {
            var column = await WidestColumn.FindAsync(source, settings, sql, columns, cancellationToken);
            throw OversizedRecord.OfSource(keys[0].Place, state, column);
        }

        await sessions.CheckAsync(cancellationToken);
        await sessions.DisposeAsync(); // an open snapshot would delay the source's vacuum while the last file is completed
        distinct?.Finish(cancellationToken);
        return new StagedBatch(session.Horizon.SnapshotAt, await files.FinishAsync(cancellationToken))
        {
            Horizon = session.Horizon,
            Ranges = cut.Shown,
            EstimatedRecords = reading.Expected,
        };

        BlockLane Lane(SourceSession own)
        {
            var blocks = new BlockBuilder(buffers, target) { LargestRecord = options.MaxRecordBytes, HasLargeTurns = true };
            var check = new KeyCheck(columns.ToList().IndexOf(key), plan.Dataset.OrderedBy == key.Name)
            {
                SeesAll = sessions.Readers.Count == 1,
                Wanted = wanted,
                Distinct = distinct,
            };
            keys.Add(check);
            var format = Format(plan, columns, blocks, check, stop.Token);
            var copies = wanted is not null
                ? new RetryCopies(own, rounds!, plan, wanted).ReadAsync(sql, format.CopyOptions, stop.Token)
                : cut.Queries.Count > 0 ? RangesAsync(own, left, format.CopyOptions, stop.Token)
                : WholeAsync(own, sql, format.CopyOptions, stop.Token);
            return new(copies, format, blocks);
        }
    }

    private static async IAsyncEnumerable<LaneCopy> WholeAsync(
        SourceSession session, string sql, string options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var copy = await session.CopyAsync(sql, options, cancellationToken);
        yield return new(copy, null);
    }

    private static async IAsyncEnumerable<LaneCopy> RangesAsync(
        SourceSession session, ConcurrentQueue<(string Sql, int? Number)> left, string options,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (left.TryDequeue(out var range))
        {
            await using var copy = await session.CopyAsync(range.Sql, options, cancellationToken);
            yield return new(copy, range.Number);
        }
    }

    private static IRecordFormat Format(
        ExportPlan plan, IReadOnlyList<ResultColumn> columns, BlockBuilder blocks, KeyCheck keys,
        CancellationToken cancellationToken) =>
        plan.Format switch
        {
            "csv" => new CsvFormat(plan.Dataset.Columns, blocks, keys, cancellationToken),
            "ndjson" => new NdjsonFormat(columns, blocks, keys, cancellationToken),
            _ =>
                throw new InvalidOperationException($"An export was accepted in the format {plan.Format}, which nothing writes."),
        };
}
