using Microsoft.Win32.SafeHandles;

namespace ClaimCheck.Service.Staging;

/// <summary>A range of bytes of a file.</summary>
internal sealed class FolderReadStream(SafeFileHandle file, long offset, long length) : ForwardStream
{
    private long position = offset;
    private long left = length;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var some = buffer[..(int)Math.Min(buffer.Length, left)];
        if (some.IsEmpty)
            return 0;
        var read = await RandomAccess.ReadAsync(file, some, position, cancellationToken);
        position += read;
        left -= read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            file.Dispose();
        base.Dispose(disposing);
    }
}
