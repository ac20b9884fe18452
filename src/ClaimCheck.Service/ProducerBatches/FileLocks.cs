namespace ClaimCheck.Service.ProducerBatches;

/// <summary>Serializes requests for the same file: of any number that are sent at once, one is stored.</summary>
internal sealed class FileLocks
{
    private readonly Dictionary<(Guid Batch, int Ordinal), Turn> turns = [];

    /// <summary>Waits until the file is free; disposing the result releases it.</summary>
    public async Task<IDisposable> TakeAsync(Guid batch, int ordinal, CancellationToken cancellationToken)
    {
        Turn turn;
        lock (turns)
        {
            if (!turns.TryGetValue((batch, ordinal), out turn!))
                turns.Add((batch, ordinal), turn = new(this, (batch, ordinal)));
            turn.Users++;
        }

        try
        {
            await turn.Gate.WaitAsync(cancellationToken);
            return turn;
        }
        catch
        {
            Leave(turn);
            throw;
        }
    }

    private void Leave(Turn turn)
    {
        lock (turns)
        {
            if (--turn.Users > 0)
                return;
            turns.Remove(turn.File);
        }

        turn.Gate.Dispose();
    }

    private sealed class Turn(FileLocks owner, (Guid, int) file) : IDisposable
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
