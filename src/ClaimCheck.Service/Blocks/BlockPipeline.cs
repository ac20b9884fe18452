using System.Runtime.ExceptionServices;
using System.Threading.Channels;

namespace ClaimCheck.Service.Blocks;

/// <summary>Rows in, files out: one task reads and splits, each block is compressed and digested on any core, one task stores
/// them in order. At most one block per core waits in between, so memory stays constant, and slow staging slows the database
/// down.</summary>
internal sealed class BlockPipeline(
    IAsyncEnumerable<CopyReader> copies, IRecordFormat format, BlockBuilder blocks, BlockSealer sealer, BlockBuffers buffers)
{
    private readonly Channel<Task<SealedBlock>> sealing = Channel.CreateBounded<Task<SealedBlock>>(
        new BoundedChannelOptions(Environment.ProcessorCount) { SingleReader = true, SingleWriter = true });

    private ExceptionDispatchInfo? failure;

    /// <param name="files">Where the blocks go.</param>
    /// <param name="stop">Cancelled when either end fails; the source listens to it too.</param>
    public async Task RunAsync(PartFiles files, CancellationTokenSource stop)
    {
        await Task.WhenAll(
            Task.Run(() => GuardAsync(() => ReadAsync(stop.Token), stop), CancellationToken.None),
            Task.Run(() => GuardAsync(() => StoreAsync(files, stop.Token), stop), CancellationToken.None));
        failure?.Throw();
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var source in copies.WithCancellation(cancellationToken))
            {
                try
                {
                    while (await source.ReadAsync(format.Space()) is var count and > 0)
                    {
                        format.Accept(count);
                        await SealReadyAsync(cancellationToken);
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
            await SealReadyAsync(cancellationToken);
        }
        finally
        {
            sealing.Writer.Complete();
        }
    }

    private async Task SealReadyAsync(CancellationToken cancellationToken)
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
