namespace ClaimCheck.Consumer.Downloads;

/// <summary>A block whose stored bytes matched its checksum, inflated. Disposing gives its buffer back to the pool.</summary>
internal sealed class VerifiedBlock(byte[] buffer, int length, Block block, BlockPlace place) : IDisposable
{
    private byte[]? rented = buffer;

    public byte[] Buffer => rented ?? throw new ObjectDisposedException(nameof(VerifiedBlock));

    public int Length => length;

    /// <summary>How many records it has, according to the index.</summary>
    public long Records => block.Records;

    public BlockPlace Place => place;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref rented, null) is { } buffer)
            ArrayPool<byte>.Shared.Return(buffer);
    }
}

/// <summary>The position of a block.</summary>
/// <param name="FileName">The file's name.</param>
/// <param name="File">The file's index in the manifest, from 0.</param>
/// <param name="Block">Its index in the file, from 0.</param>
/// <param name="Before">Records of the batch that come before it.</param>
internal sealed record BlockPlace(string FileName, int File, int Block, long Before);
