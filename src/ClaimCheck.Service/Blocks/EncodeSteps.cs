namespace ClaimCheck.Service.Blocks;

/// <summary>
/// What every loop over a value's bytes counts with: a record may have a gigabyte, and a worker that is told to stop, or has lost
/// its lease, must not first write all of it.
/// </summary>
internal sealed class EncodeSteps(CancellationToken cancellationToken)
{
    private const int Often = 0xFFF;
    private int taken;

    /// <exception cref="OperationCanceledException">The work is to stop.</exception>
    public void Take()
    {
        if ((++taken & Often) == 0)
            cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Asks at once: where a step is a long one.</summary>
    /// <exception cref="OperationCanceledException">The work is to stop.</exception>
    public void TakeLong() => cancellationToken.ThrowIfCancellationRequested();
}
