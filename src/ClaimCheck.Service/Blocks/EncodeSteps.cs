namespace ClaimCheck.Service.Blocks;

/// <summary>Counted by every loop over a value's bytes: a record may have a gigabyte, and a worker that is told to stop, or has
/// lost its lease, must not write all of it first.</summary>
internal sealed class EncodeSteps(CancellationToken cancellationToken)
{
    private const int Often = 0xFFF;
    private int taken;

    /// <exception cref="OperationCanceledException">The work must stop.</exception>
    public void Take()
    {
        if ((++taken & Often) == 0)
            cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Checks at once: where a single step takes long.</summary>
    /// <exception cref="OperationCanceledException">The work must stop.</exception>
    public void TakeLong() => cancellationToken.ThrowIfCancellationRequested();
}
