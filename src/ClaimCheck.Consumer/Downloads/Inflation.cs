using System.IO.Compression;

namespace ClaimCheck.Consumer.Downloads;

/// <summary>Inflates a gzip member into a buffer of the length that was promised for it, and never further: bombs stop there.</summary>
internal static class Inflation
{
    /// <returns>False where it is no gzip, or shorter or longer than <paramref name="into"/>.</returns>
    public static bool TryInflate(byte[] stored, int storedLength, Span<byte> into)
    {
        try
        {
            using var source = new MemoryStream(stored, 0, storedLength, writable: false);
            using var gzip = new GZipStream(source, CompressionMode.Decompress);
            Span<byte> oneMore = stackalloc byte[1];
            return gzip.ReadAtLeast(into, into.Length, throwOnEndOfStream: false) == into.Length && gzip.Read(oneMore) == 0;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }
}
