using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace ClaimCheck.Service.Staging;

/// <summary>The memory of a process' uploads: buffers of a part's size, which go around among its writers, and how many parts are
/// sent at a time. The shared pool of arrays would keep one for every thread that returned one.</summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "A SemaphoreSlim has nothing to dispose of unless its wait handle is asked for.")]
internal sealed class PartBuffers(StagingOptions options)
{
    private readonly ConcurrentBag<byte[]> idle = [];
    private readonly SemaphoreSlim slots = new(options.ParallelParts);
    private int kept;
    private int made;

    /// <summary>How many buffers were made so far.</summary>
    public int Made => Volatile.Read(ref made);

    public byte[] Rent()
    {
        if (idle.TryTake(out var buffer))
        {
            Interlocked.Decrement(ref kept);
            return buffer;
        }

        Interlocked.Increment(ref made);
        return GC.AllocateUninitializedArray<byte>((int)options.PartBytes);
    }

    /// <summary>As many are kept as one writer uses: one is filled while the others are sent.</summary>
    public void Return(byte[] buffer)
    {
        if (Interlocked.Increment(ref kept) <= options.ParallelParts + 1)
            idle.Add(buffer);
        else
            Interlocked.Decrement(ref kept);
    }

    /// <summary>Waits until one more part may be sent. <see cref="EndPart"/> follows.</summary>
    public Task BeginPartAsync(CancellationToken cancellationToken) => slots.WaitAsync(cancellationToken);

    public void EndPart() => slots.Release();
}
