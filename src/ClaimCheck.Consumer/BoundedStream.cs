namespace ClaimCheck.Consumer;

/// <summary>Reads a limited number of bytes of another stream, which it does not own; one byte more is an error.</summary>
internal sealed class BoundedStream(Stream inner, long limit) : ForwardStream
{
    private long read;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken);
        read += count;
        return read > limit ? throw new IntegrityException($"An answer is longer than its limit of {limit} bytes.") : count;
    }
}
