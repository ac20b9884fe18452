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
/// for each set of files one task stores them in the order of their ends. Few blocks of a process are in between, so memory stays
/// constant, and slow staging slows the database down.</summary>
internal sealed class BlockPipeline(IReadOnlyList<BlockLane> lanes, BlockSealer sealer, BlockBuffers buffers)
{
    private ExceptionDispatchInfo? failure;

    /// <param name="files">Where the blocks go: one set that all lanes share, or one for each lane.</param>
    /// <param name="stop">Cancelled when either end fails; the source listens to it too.</param>
    public async Task RunAsync(PartSets files, CancellationTokenSource stop)
    {
        // Unbounded: the buffers say how many blocks are begun.
        var sealing = files.All.Select(_ => Channel.CreateUnbounded<SealingBlock>(new() { SingleReader = true })).ToList();
        await Task.WhenAll([
            Task.Run(() => ReadAllAsync(sealing, stop), CancellationToken.None),
            .. files.All.Select((file, at) => Task.Run(
                () => GuardAsync(() => StoreAsync(sealing[at].Reader, file, stop.Token), stop), CancellationToken.None)),
        ]);
        // Other exports wait for what this one leaves behind.
        foreach (var left in sealing)
            await DropAsync(left.Reader);
        foreach (var lane in lanes)
            lane.Blocks.Release();
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
                    // Its complete blocks are handed on first: the lane that has the turn may need their places.
                    while (format.WantsLargeTurn)
                    {
                        lane.Blocks.LargeTurn = await buffers.LargeTurnAsync(cancellationToken);
                        format.Accept(0);
                        await SealReadyAsync(lane.Blocks, range, sealing, cancellationToken);
                    }
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
        while (blocks.Ready.Count > 0)
        {
            await buffers.BeginBlockAsync(cancellationToken);
            var block = blocks.Ready.Dequeue();
            var task = Task.Run(() => sealer.Seal(block, cancellationToken), CancellationToken.None);
            if (!sealing.TryWrite(new(task, range, block.LargeTurn)))
                throw new InvalidOperationException("The channel is complete while a lane still reads.");
        }
    }

    private async Task StoreAsync(
        ChannelReader<SealingBlock> sealing, PartFiles files, CancellationToken cancellationToken)
    {
        await foreach (var block in sealing.ReadAllAsync(cancellationToken))
        {
            try
            {
                var stored = await block.Task;
                await files.AddAsync(stored, block.Range, cancellationToken);
                buffers.Return(stored.Buffer); // not where it failed: the writer may still read from it
            }
            finally
            {
                End(block);
            }
        }
    }

    private async Task DropAsync(ChannelReader<SealingBlock> left)
    {
        while (left.TryRead(out var block))
        {
            await Task.WhenAny(block.Task); // whatever becomes of it
            if (block.Task.IsCompletedSuccessfully)
                buffers.Return((await block.Task).Buffer);
            End(block);
        }
    }

    private void End(SealingBlock block)
    {
        block.LargeTurn?.Dispose();
        buffers.EndBlock();
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

    private readonly record struct SealingBlock(Task<SealedBlock> Task, int? Range, IDisposable? LargeTurn);
}
