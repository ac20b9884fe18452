namespace ClaimCheck.Service.ProducerBatches;

/// <summary>Turns what a producer has uploaded into the files of a batch: every byte is read once, digested, decompressed, split
/// into records, checked, and written again in blocks. What was announced is compared with the content as it flows: nothing that
/// is published can have been altered after it was checked.</summary>
internal sealed class ProducerBatchStager(
    ProducerBatchStore store, IStaging staging, MultipartUploads uploads, ExportMemory memory, ProducerBatchesOptions options)
    : IBatchStager
{
    public RecordOrigin Origin => RecordOrigin.Producer;

    /// <exception cref="SourceException">A file is not what was announced; the text says which, and how.</exception>
    public async Task<StagedBatch> StageAsync(ExportPlan plan, ExportMeter meter, CancellationToken cancellationToken)
    {
        var (publishedAt, files) = await store.PublishedAsync(plan.BatchId, cancellationToken);
        meter.Estimated(files.Sum(file => (decimal)file.Records) is var all and <= long.MaxValue ? (long)all : long.MaxValue);
        var isCompressed = plan.Compression == "gzip";
        var target = BlockBuilder.TargetFor(plan.MaxFileBytes);
        var buffers = memory.Blocks;
        var blocks = new BlockBuilder(buffers, target) { HasLargeTurns = true };
        var sealer = new BlockSealer(buffers, plan.Framing);
        var (columns, key) = (plan.Dataset.Columns, plan.Dataset.Key);
        // No unique index of a source covers what producers send.
        using var distinct = plan.Dataset.TrustsKey ? null : new DistinctKeys(memory.Keys);
        ProducerRecords records = plan.Format == "csv"
            ? new ProducerCsv(columns, key, blocks, options.LargestRecord, distinct)
            : new ProducerNdjson(columns, key, blocks, options.LargestRecord, distinct);
        var header = plan.Format == "csv" ? ProducerCsv.HeaderOf(columns) : [];
        var layout = PartLayout.Of(
            sealer, header, plan.Format, plan.Format == "csv" ? "text/csv" : "application/x-ndjson", plan.MaxFileBytes);

        await using var parts = new PartFiles(
            layout,
            async (name, content, token) =>
                await uploads.OpenAsync(plan.BatchId, plan.Attempt, plan.LeaseToken, name, content, token)
                ?? throw new LeaseLostException(),
            meter);
        var budget = isCompressed ? new UnpackBudget(options) : null;
        try
        {
            foreach (var file in files)
                await TakeAsync(file);
            blocks.Finish();
            await StoreReadyAsync();
        }
        finally
        {
            blocks.Release(); // others wait for it
        }

        distinct?.Finish(cancellationToken);
        return new StagedBatch(publishedAt, await parts.FinishAsync(cancellationToken));

        async Task TakeAsync(ProducerFile file)
        {
            await using var content = await ProducerFileContent.OpenAsync(staging, plan.BatchId, file, budget, cancellationToken);
            try
            {
                records.BeginFile(file);
                while (await content.ReadAsync(records.Space(), cancellationToken) is var count and > 0)
                {
                    records.Accept(count);
                    await StoreReadyAsync();
                    if (records.WantsLargeTurn)
                        blocks.LargeTurn = await buffers.LargeTurnAsync(cancellationToken);
                }

                records.EndFile();
            }
            catch (SourceException)
            {
                // Where it is a different file altogether, the producer should be told that.
                await content.VerifyAsync(cancellationToken);
                throw;
            }

            await content.VerifyAsync(cancellationToken);
        }

        async Task StoreReadyAsync()
        {
            while (blocks.Ready.TryDequeue(out var block))
            {
                using var turn = block.LargeTurn;
                var stored = sealer.Seal(block, cancellationToken);
                await parts.AddAsync(stored, cancellationToken);
                buffers.Return(stored.Buffer);
            }
        }
    }
}
