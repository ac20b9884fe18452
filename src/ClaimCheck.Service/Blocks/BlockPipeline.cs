using System.Runtime.ExceptionServices;
using System.Threading.Channels;

namespace ClaimCheck.Service.Blocks;

/// <summary>One way in: what a connection copies, and what turns it into blocks.</summary>
internal sealed record BlockLane(IAsyncEnumerable<CopyReader> Copies, IRecordFormat Format, BlockBuilder Blocks);

/// <summary>Rows in, files out: for each lane one task reads and splits, each block is compressed and digested on any core, one
/// task stores them in the order of their ends. At most one block per core waits in between, so memory stays constant, and slow
/// staging slows the database down.</summary>
internal sealed class BlockPipeline(IReadOnlyList<BlockLane> lanes, BlockSealer sealer, BlockBuffers buffers)
{
    private readonly Channel<Task<SealedBlock>> sealing = Channel.CreateBounded<Task<SealedBlock>>(
        new BoundedChannelOptions(Environment.ProcessorCount) { SingleReader = true, SingleWriter = lanes.Count == 1 });

    private ExceptionDispatchInfo? failure;

    /// <param name="files">Where the blocks go.</param>
    /// <param name="stop">Cancelled when either end fails; the source listens to it too.</param>
    public async Task RunAsync(PartFiles files, CancellationTokenSource stop)
    {
        await Task.WhenAll(
            Task.Run(() => ReadAllAsync(stop), CancellationToken.None),
            Task.Run(() => GuardAsync(() => StoreAsync(files, stop.Token), stop), CancellationToken.None));
        failure?.Throw();
    }

    private async Task ReadAllAsync(CancellationTokenSource stop)
    {
        await Task.WhenAll(
            lanes.Select(lane => Task.Run(() => GuardAsync(() => ReadAsync(lane, stop.Token), stop), CancellationToken.None)));
        sealing.Writer.Complete();
    }

    private async Task ReadAsync(BlockLane lane, CancellationToken cancellationToken)
    {
        var format = lane.Format;
        await foreach (var source in lane.Copies.WithCancellation(cancellationToken))
        {
            try
            {
                while (await source.ReadAsync(format.Space()) is var count and > 0)
                {
                    format.Accept(count);
                    await SealReadyAsync(lane.Blocks, cancellationToken);
                }
            }
            catch (SourceException e) when (e.SourceLimit is not null)
            {
                format.EndCopy(); // all earlier blocks are complete: now their number is known
                throw;
            }

            format.EndCopy();
        }

        format.Finish();
        await SealReadyAsync(lane.Blocks, cancellationToken);
    }

    private async Task SealReadyAsync(BlockBuilder blocks, CancellationToken cancellationToken)
    {
        while (blocks.Ready.TryDequeue(out var block))
        {
            await sealing.Writer.WaitToWriteAsync(cancellationToken);
            await sealing.Writer.WriteAsync(
                Task.Run(() => sealer.Seal(block, cancellationToken), CancellationToken.None), cancellationToken);
        }
    }

    private async Task StoreAsync(PartFiles files, CancellationToken cancellationToken)
    {
        await foreach (var task in sealing.Reader.ReadAllAsync(cancellationToken))
        {
            var block = await task;
            await files.AddAsync(block, cancellationToken);
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
}
