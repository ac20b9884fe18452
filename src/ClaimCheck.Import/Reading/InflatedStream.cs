using System.IO.Compression;

namespace ClaimCheck.Import.Reading;

/// <summary>
/// The content of a gzip file. The platform does not distinguish a truncated file from a complete one; so a member of our own is
/// appended to the file, and only if its content appears at the end was the file complete. A small file that decompresses to a
/// huge one is not read further.
/// </summary>
internal sealed class InflatedStream : ForwardStream
{
    private static readonly byte[] Seal = [.. "\u001A end of the feed\u001A"u8];
    private static readonly byte[] SealMember = Compress(Seal);

    // Up to this size no ratio counts: a header and a few equal records compress well.
    private const long Grace = 64L << 20;

    private readonly SealedStream stored;
    private readonly GZipStream inflated;
    private readonly int unpackRatio;
    private readonly byte[] buffer = new byte[(128 << 10) + Seal.Length];
    private int start;
    private int end;

    private long unpacked;

    /// <param name="plain">The file's bytes; disposed with this.</param>
    /// <param name="unpackRatio">To how many times its size it may decompress.</param>
    public InflatedStream(Stream plain, int unpackRatio)
    {
        stored = new SealedStream(plain);
        inflated = new GZipStream(stored, CompressionMode.Decompress);
        this.unpackRatio = unpackRatio;
    }

    /// <exception cref="ImportException">It decompresses to more than its limit.</exception>
    /// <exception cref="InvalidDataException">It is damaged or truncated.</exception>

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Bytes that might be the seal are held back until more come.
        while (end - start <= Seal.Length)
        {
            this.buffer.AsSpan(start, end - start).CopyTo(this.buffer);
            (start, end) = (0, end - start);
            var read = await inflated.ReadAsync(this.buffer.AsMemory(end), cancellationToken);
            if (read == 0)
                return this.buffer.AsSpan(0, end).SequenceEqual(Seal)
                    ? 0
                    : throw new InvalidDataException("The gzip is truncated, or something else follows it.");
            end += read;
            unpacked += read;
            if (unpacked > Grace && unpacked / unpackRatio > stored.Bytes)
                throw new ImportException(ImportCodes.UnpacksTooFar, $"The gzip unpacks to more than {unpackRatio} times its "
                    + $"size, which is the limit of reading.unpackRatio beyond {Grace >> 20} MiB.");
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

        public long Bytes { get; private set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!ended && await plain.ReadAsync(buffer, cancellationToken) is var read and > 0)
            {
                Bytes += read;
                return read;
            }

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
