namespace ClaimCheck.Service.Exporting;

/// <summary>What the exports of a process share, so that their memory is limited together.</summary>
/// <param name="keys">Where their keys are compared.</param>
/// <param name="blocks">The buffers of their blocks.</param>
internal sealed class ExportMemory(KeySpace keys, BlockBuffers blocks)
{
    // Each costs about 4 MiB: what was received, what is cut into blocks. The first one of an export is always there.
    private const int MostFurther = 15;

    // Where each has files of its own, it fills a part of an upload too.
    private const int CostOfFiles = 5;

    private readonly Lock taking = new();
    private int taken;

    public KeySpace Keys => keys;

    public BlockBuffers Blocks => blocks;

    /// <summary>Takes as many further connections for an export as there is memory for.</summary>
    /// <param name="wanted">How many it wants beside its first one.</param>
    /// <param name="haveFiles">Whether each writes files of its own.</param>
    public Further Take(int wanted, bool haveFiles)
    {
        var cost = haveFiles ? CostOfFiles : 1;
        lock (taking)
        {
            var count = Math.Min(wanted, (MostFurther - taken) / cost);
            taken += count * cost;
            return new(this, count, cost);
        }
    }

    private void Return(int cost)
    {
        lock (taking)
            taken -= cost;
    }

    /// <summary>Connections that were taken; disposed when they are closed.</summary>
    internal sealed class Further(ExportMemory memory, int count, int cost) : IDisposable
    {
        private bool isReturned;

        public int Count => count;

        public void Dispose()
        {
            if (!isReturned)
                memory.Return(count * cost);
            isReturned = true;
        }
    }
}
