using System.Security.Cryptography;

namespace ClaimCheck.Import.Reading;

/// <summary>Bytes that are digested as they flow.</summary>
/// <param name="inner">Where they come from; disposed with this.</param>
/// <param name="longest">How many are read: bytes behind them did not exist when the file was inspected.</param>
internal sealed class HashedStream(Stream inner, long longest = long.MaxValue) : ForwardStream
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long length;

    /// <summary>Reads the rest (a decompressor may stop short of it).</summary>
    /// <returns>SHA-256 in hex, and the number of bytes.</returns>
    public async Task<(string Sha256, long Length)> EndAsync(CancellationToken cancellationToken)
    {
        var rest = new byte[64 << 10];
        while (await ReadAsync(rest, cancellationToken) > 0)
        {
        }
        return (Convert.ToHexStringLower(hash.GetCurrentHash()), length);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, longest - length)], cancellationToken);
        hash.AppendData(buffer.Span[..read]);
        length += read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            hash.Dispose();
            inner.Dispose();
        }
        base.Dispose(disposing);
    }
}
