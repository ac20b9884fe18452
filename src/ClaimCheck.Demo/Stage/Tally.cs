namespace ClaimCheck.Demo.Stage;

/// <summary>How many orders were read, and the sum over them that the source computes too
/// (<see cref="Order.SumAsync"/>).</summary>
internal sealed class Tally
{
    private readonly byte[] scratch = new byte[4096];
    private UInt128 sum;

    public long Count { get; private set; }

    public string Sum => sum.ToString();

    public void Add(Order order)
    {
        sum += order.Fingerprint(scratch);
        Count++;
    }
}
