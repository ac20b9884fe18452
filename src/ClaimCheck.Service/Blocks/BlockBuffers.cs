using System.Collections.Concurrent;

namespace ClaimCheck.Service.Blocks;

/// <summary>The buffers of one export, all of one size and reused; larger ones, for huge records, are not kept.</summary>
internal sealed class BlockBuffers(int size)
{
    private readonly ConcurrentBag<byte[]> idle = [];

    public byte[] Rent(int atLeast) =>
        atLeast > size ? GC.AllocateUninitializedArray<byte>(atLeast)
        : idle.TryTake(out var buffer) ? buffer
        : GC.AllocateUninitializedArray<byte>(size);

    public void Return(byte[] buffer)
    {
        if (buffer.Length == size)
            idle.Add(buffer);
    }
}
