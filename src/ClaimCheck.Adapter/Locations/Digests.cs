namespace ClaimCheck.Adapter.Locations;

/// <summary>Computes the SHA-256 of bytes while they are copied, and reports where they differ from the announcement.</summary>
internal static class Digests
{
    private const int BufferBytes = 256 << 10;

    /// <summary>Reads a source to its end, and passes it on piece by piece.</summary>
    /// <exception cref="LocationException">It has another length or checksum.</exception>
    public static async Task CopyAsync(
        Stream source, Func<ReadOnlyMemory<byte>, ValueTask> write, string path, long bytes, ReadOnlyMemory<byte> sha256,
        CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            long copied = 0;
            while (await source.ReadAsync(buffer, cancellationToken) is > 0 and var read)
            {
                copied += read;
                if (copied > bytes)
                    break;
                hash.AppendData(buffer, 0, read);
                await write(buffer.AsMemory(0, read));
            }
            Check(path, copied == bytes, hash.GetHashAndReset(), sha256);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a source to its end, where it must be verified before the first byte is sent.</summary>
    public static async Task VerifyAsync(
        Func<CancellationToken, Task<Stream>> open, string path, long bytes, ReadOnlyMemory<byte> sha256,
        CancellationToken cancellationToken)
    {
        await using var source = await open(cancellationToken);
        await CopyAsync(source, static _ => ValueTask.CompletedTask, path, bytes, sha256, cancellationToken);
    }

    public static void Check(string path, bool hasLength, ReadOnlySpan<byte> actual, ReadOnlyMemory<byte> expected)
    {
        if (!hasLength || !actual.SequenceEqual(expected.Span))
        {
            throw new LocationException(
                LocationFailure.Altered,
                $"{path} was not written: its source has another {(hasLength ? "checksum" : "length")} than announced.");
        }
    }

    /// <exception cref="LocationException">A file is not at a location as it was sent, or that can't be told.</exception>
    public static void Prove(Holding found, string location, string path)
    {
        if (found != Holding.Same)
            throw found == Holding.Other ? Differs(location, path) : Unclear(location, path);
    }

    public static LocationException Differs(string location, string path) =>
        new(LocationFailure.Altered, $"{path} did not arrive at {location} as it was sent: its length or checksum differs there. "
            + "It was not given its name.");

    public static LocationException Unclear(string location, string path) => new(
        LocationFailure.Unclear,
        $"{location} does not show whether {path} is there as it was sent: neither its length and checksum nor its bytes can " +
        "be read. It was not sent repeatedly. Grant the account the right to read what it wrote.");

    /// <summary>Whether a stream has these bytes; it is read only as far as needed.</summary>
    public static async Task<bool> IsAsync(
        Stream content, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            var left = bytes;
            while (await content.ReadAsync(buffer, cancellationToken) is > 0 and var read)
            {
                if ((left -= read) < 0)
                    return false;
                hash.AppendData(buffer, 0, read);
            }

            return left == 0 && hash.GetHashAndReset().AsSpan().SequenceEqual(sha256.Span);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
