using System.IO.Compression;

namespace ClaimCheck.Service.ProducerBatches;

/// <summary>One file of a landing, decompressed as it is read; its stored bytes are counted and digested on the way.</summary>
internal sealed class ProducerFileContent : IAsyncDisposable
{
    private readonly ProducerFile file;
    private readonly DigestingStream stored;
    private readonly Stream plain;
    private readonly UnpackBudget? budget;
    private long unpacked;

    private ProducerFileContent(ProducerFile file, Stream stored, UnpackBudget? budget)
    {
        (this.file, this.budget) = (file, budget);
        this.stored = new DigestingStream(stored);
        plain = budget is not null ? new GZipStream(this.stored, CompressionMode.Decompress) : this.stored;
    }

    /// <param name="staging">The staging that it is in.</param>
    /// <param name="batch">The batch that it belongs to.</param>
    /// <param name="budget">For gzip files: the limit of decompression; null for others.</param>
    public static async Task<ProducerFileContent> OpenAsync(
        IStaging staging, BatchId batch, ProducerFile file, UnpackBudget? budget, CancellationToken cancellationToken)
    {
        try
        {
            // One byte more than announced: a larger file must be recognised.
            return new(file, await staging.OpenReadAsync(file.Key(batch), 0, file.Bytes + 1, cancellationToken), budget);
        }
        catch (StagingException e) when (e.IsMissing)
        {
            throw new SourceException("upload_missing", $"{file.Name} is missing in staging.", isTransient: false, e);
        }
    }

    /// <returns>0 at its end.</returns>
    /// <exception cref="SourceException">It can't be decompressed, or exceeds the limit.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> space, CancellationToken cancellationToken)
    {
        try
        {
            var count = await plain.ReadAsync(space, cancellationToken);
            unpacked += count;
            budget?.Take(file, count, unpacked, stored.Bytes);
            return count;
        }
        catch (InvalidDataException e)
        {
            throw new SourceException("upload_malformed", $"{file.Name} is not a gzip file.", isTransient: false, e);
        }
    }

    /// <summary>Reads the rest, and compares the whole file with what was announced.</summary>
    /// <exception cref="SourceException">It is a different file.</exception>
    public async Task VerifyAsync(CancellationToken cancellationToken)
    {
        await stored.ReadToEndAsync(cancellationToken);
        if (stored.Bytes != file.Bytes)
            throw Mismatch(stored.Bytes < file.Bytes
                ? $"{file.Name} has {stored.Bytes} bytes, but {file.Bytes} were announced."
                : $"{file.Name} has more than the {file.Bytes} bytes that were announced.");
        if (!stored.Digest().AsSpan().SequenceEqual(file.Sha256))
            throw Mismatch($"The SHA-256 of {file.Name} is not the one that was announced.");
    }

    public async ValueTask DisposeAsync()
    {
        await plain.DisposeAsync();
        await stored.DisposeAsync();
    }

    private static SourceException Mismatch(string detail) => new("upload_mismatch", detail, isTransient: false);

    private sealed class DigestingStream(Stream inner) : ForwardStream
    {
        private readonly IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public long Bytes { get; private set; }

        public byte[] Digest() => digest.GetHashAndReset();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            digest.AppendData(buffer.Span[..count]);
            Bytes += count;
            return count;
        }

        public async Task ReadToEndAsync(CancellationToken cancellationToken)
        {
            var rest = new byte[64 << 10];
            while (await ReadAsync(rest, cancellationToken) > 0)
            {
                // Only its digest is needed.
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
                digest.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
