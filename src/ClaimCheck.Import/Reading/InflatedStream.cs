using System.IO.Compression;

namespace ClaimCheck.Import.Reading;

/// <summary>
/// What a gzip file holds. The platform takes a file that is cut off for one that ends; so a member of our own is put behind the
/// file's last one, and only where it comes out at the end was the file whole.
/// </summary>
internal sealed class InflatedStream : ForwardStream
{
    private static readonly byte[] Seal = [.. "\u001A end of the feed\u001A"u8];
    private static readonly byte[] SealMember = Compress(Seal);

    private readonly GZipStream inflated;
    private readonly byte[] buffer = new byte[(128 << 10) + Seal.Length];
    private int start;
    private int end;

    /// <param name="plain">The file's bytes; disposed with this.</param>
    public InflatedStream(Stream plain) => inflated = new GZipStream(new SealedStream(plain), CompressionMode.Decompress);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // What might be the seal is held back until more comes.
        while (end - start <= Seal.Length)
        {
            this.buffer.AsSpan(start, end - start).CopyTo(this.buffer);
            (start, end) = (0, end - start);
            var read = await inflated.ReadAsync(this.buffer.AsMemory(end), cancellationToken);
            if (read == 0)
                return this.buffer.AsSpan(0, end).SequenceEqual(Seal) ? 0 : throw new InvalidDataException("The gzip is cut off, or something else follows it.");
            end += read;
        }
        var length = Math.Min(buffer.Length, end - start - Seal.Length);
        this.buffer.AsMemory(start, length).CopyTo(buffer);
        start += length;
        return length;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inflated.Dispose();
        base.Dispose(disposing);
    }

    private static byte[] Compress(byte[] text)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(text);
        return bytes.ToArray();
    }

    private sealed class SealedStream(Stream plain) : ForwardStream
    {
        private bool ended;
        private int sent;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!ended && await plain.ReadAsync(buffer, cancellationToken) is var read and > 0)
                return read;
            ended = true;
            var length = Math.Min(buffer.Length, SealMember.Length - sent);
            SealMember.AsMemory(sent, length).CopyTo(buffer);
            sent += length;
            return length;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                plain.Dispose();
            base.Dispose(disposing);
        }
    }
}
