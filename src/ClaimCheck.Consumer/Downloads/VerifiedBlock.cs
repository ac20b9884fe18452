using System.Buffers;

namespace ClaimCheck.Consumer.Downloads;

/// <summary>A block whose stored bytes matched its checksum, inflated. Disposing gives its buffer back to the pool.</summary>
internal sealed class VerifiedBlock(byte[] buffer, int length, long records, string file, int ordinal) : IDisposable
{
    private byte[]? rented = buffer;

    public byte[] Buffer => rented ?? throw new ObjectDisposedException(nameof(VerifiedBlock));

    public int Length => length;

    /// <summary>How many records it holds, by the index.</summary>
    public long Records => records;

    /// <summary>The file's name.</summary>
    public string File => file;

    /// <summary>Its place in the file, from 0.</summary>
    public int Ordinal => ordinal;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref rented, null) is { } buffer)
            ArrayPool<byte>.Shared.Return(buffer);
    }
}
