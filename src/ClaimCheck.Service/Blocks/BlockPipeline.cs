using System.Runtime.ExceptionServices;
using System.Threading.Channels;

namespace ClaimCheck.Service.Blocks;

/// <summary>What one COPY sends.</summary>
/// <param name="Reader">Its bytes.</param>
/// <param name="Range">The number of the range whose files are to have its records, from 1; null where all records share
/// files.</param>
internal readonly record struct LaneCopy(CopyReader Reader, int? Range);

/// <summary>One way in: what a connection copies, and what turns it into blocks.</summary>
internal sealed record BlockLane(IAsyncEnumerable<LaneCopy> Copies, IRecordFormat Format, BlockBuilder Blocks);

/// <summary>Rows in, files out: for each lane one task reads and splits, each block is compressed and digested on any core, and
/// for each set of files one task stores them in the order of their ends. At most one block per core waits in between, so
/// memory stays constant, and slow staging slows the database down.</summary>
internal sealed class BlockPipeline(IReadOnlyList<BlockLane> lanes, BlockSealer sealer, BlockBuffers buffers)
{
    private ExceptionDispatchInfo? failure;

    /// <param name="files">Where the blocks go: one set that all lanes share, or one for each lane.</param>
    /// <param name="stop">Cancelled when either end fails; the source listens to it too.</param>
    public async Task RunAsync(PartSets files, CancellationTokenSource stop)
    {
        var sealing = files.All.Select(_ => Channel.CreateBounded<SealingBlock>(new BoundedChannelOptions(
            Math.Max(1, Environment.ProcessorCount / files.All.Count))
        { SingleReader = true })).ToList();
        await Task.WhenAll([
            Task.Run(() => ReadAllAsync(sealing, stop), CancellationToken.None),
            .. files.All.Select((file, at) => Task.Run(
                () => GuardAsync(() => StoreAsync(sealing[at].Reader, file, stop.Token), stop), CancellationToken.None)),
        ]);
        failure?.Throw();
    }

    private async Task ReadAllAsync(List<Channel<SealingBlock>> sealing, CancellationTokenSource stop)
    {
        await Task.WhenAll(lanes.Select((lane, at) => Task.Run(
            () => GuardAsync(() => ReadAsync(lane, sealing[at % sealing.Count].Writer, stop.Token), stop),
            CancellationToken.None)));
        foreach (var channel in sealing)
            channel.Writer.Complete();
    }

    private async Task ReadAsync(BlockLane lane, ChannelWriter<SealingBlock> sealing, CancellationToken cancellationToken)
    {
        var format = lane.Format;
        await foreach (var (source, range) in lane.Copies.WithCancellation(cancellationToken))
        {
            try
            {
                while (await source.ReadAsync(format.Space()) is var count and > 0)
                {
                    format.Accept(count);
                    await SealReadyAsync(lane.Blocks, range, sealing, cancellationToken);
                }
            }
            catch (SourceException e) when (e.SourceLimit is not null)
            {
                format.EndCopy(); // all earlier blocks are complete: now their number is known
                throw;
            }

            format.EndCopy();
            if (range is null)
                continue;
            format.Finish();
            await SealReadyAsync(lane.Blocks, range, sealing, cancellationToken);
        }

        format.Finish();
        await SealReadyAsync(lane.Blocks, null, sealing, cancellationToken);
    }

    private async Task SealReadyAsync(
        BlockBuilder blocks, int? range, ChannelWriter<SealingBlock> sealing, CancellationToken cancellationToken)
    {
        while (blocks.Ready.TryDequeue(out var block))
        {
            await sealing.WaitToWriteAsync(cancellationToken);
            await sealing.WriteAsync(
                new(Task.Run(() => sealer.Seal(block, cancellationToken), CancellationToken.None), range), cancellationToken);
        }
    }

    private async Task StoreAsync(
        ChannelReader<SealingBlock> sealing, PartFiles files, CancellationToken cancellationToken)
    {
        await foreach (var (task, range) in sealing.ReadAllAsync(cancellationToken))
        {
            var block = await task;
            await files.AddAsync(block, range, cancellationToken);
            buffers.Return(block.Buffer);
        }
    }

    // The first failure is the cause; the failure of the other end only follows from it.
    private async Task GuardAsync(Func<Task> end, CancellationTokenSource stop)
    {
        try
        {
            await end();
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
            await stop.CancelAsync();
        }
    }

    private readonly record struct SealingBlock(Task<SealedBlock> Block, int? Range);
}
