namespace ClaimCheck.Import.Sending;

/// <summary>A contract under which a limited number of calls is under way at a time, over all runs.</summary>
internal sealed class LimitedContract(ISendingContract contract, int calls) : ISendingContract, IDisposable
{
    private readonly SemaphoreSlim slots = new(calls);

    public async Task<SendResult> SendAsync(Shipment shipment, CancellationToken cancellationToken)
    {
        await slots.WaitAsync(cancellationToken);
        try
        {
            return await contract.SendAsync(shipment, cancellationToken);
        }
        finally
        {
            slots.Release();
        }
    }

    public void Dispose() => slots.Dispose();
}
