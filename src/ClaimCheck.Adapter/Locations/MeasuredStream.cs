namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// A source that is read once, from its beginning: where it is too short or too long, or its bytes differ, reading fails.
/// </summary>
internal sealed class MeasuredStream(Stream source, string path, long bytes, ReadOnlyMemory<byte> sha256) : ForwardStream
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long read;
    private bool isChecked;

    public long BytesRead => read;

    public override int Read(Span<byte> buffer) => Measured(buffer, source.Read(buffer));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var count = await source.ReadAsync(buffer, cancellationToken);
        return Measured(buffer.Span, count);
    }

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
