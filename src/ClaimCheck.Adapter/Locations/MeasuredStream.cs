using System.Security.Cryptography;

namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// A source that is read once, from its beginning: where it is too short or too long, or its bytes differ, reading fails.
/// </summary>
internal sealed class MeasuredStream(Stream source, string path, long bytes, ReadOnlyMemory<byte> sha256) : Stream
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long read;
    private bool isChecked;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => read;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer) => Measured(buffer, source.Read(buffer));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var count = await source.ReadAsync(buffer, cancellationToken);
        return Measured(buffer.Span, count);
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            hash.Dispose();
        base.Dispose(disposing);
    }

    private int Measured(ReadOnlySpan<byte> buffer, int count)
    {
        read += count;
        hash.AppendData(buffer[..count]);
        if (read > bytes || (count == 0 && !isChecked && buffer.Length > 0))
        {
            Digests.Check(path, read == bytes, read == bytes ? hash.GetHashAndReset() : default, sha256);
            isChecked = true;
        }

        return count;
    }
}
