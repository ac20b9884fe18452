namespace ClaimCheck.Service.ProducerBatches;

/// <summary>Serializes requests for the same file: of any number that are sent at once, one is stored.</summary>
internal sealed class FileLocks
{
    private readonly Dictionary<(Guid Batch, int Ordinal), FileLock> locks = [];

    /// <summary>Waits until the file is free; disposing the result releases it.</summary>
    public async Task<IDisposable> TakeAsync(Guid batch, int ordinal, CancellationToken cancellationToken)
    {
        FileLock held;
        lock (locks)
        {
            if (!locks.TryGetValue((batch, ordinal), out held!))
                locks.Add((batch, ordinal), held = new(this, (batch, ordinal)));
            held.Users++;
        }

        try
        {
            await held.Gate.WaitAsync(cancellationToken);
            return held;
        }
        catch
        {
            Leave(held);
            throw;
        }
    }

    private void Leave(FileLock held)
    {
        lock (locks)
        {
            if (--held.Users > 0)
                return;
            locks.Remove(held.File);
        }

        held.Gate.Dispose();
    }

    private sealed class FileLock(FileLocks owner, (Guid, int) file) : IDisposable
    {
        public (Guid, int) File => file;

        public SemaphoreSlim Gate { get; } = new(1);

        public int Users { get; set; }

        public void Dispose()
        {
            Gate.Release();
            owner.Leave(this);
        }
    }
}
