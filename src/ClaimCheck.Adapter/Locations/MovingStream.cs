namespace ClaimCheck.Adapter.Locations;

/// <summary>Tells each time that some of a source was read. It does not own the source.</summary>
internal sealed class MovingStream(Stream source) : ForwardStream
{
    public Action? Moved { get; set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await source.ReadAsync(buffer, cancellationToken);
        Moved?.Invoke();
        return read;
    }
}
