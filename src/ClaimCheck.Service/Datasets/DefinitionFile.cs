using ClaimCheck.Records.Disk;

namespace ClaimCheck.Service.Datasets;

/// <summary>Reads one file of a definition, whatever kind of file it is.</summary>
internal static class DefinitionFile
{
    private const int Largest = 1 << 20;

    /// <exception cref="IOException">It can't be read; the text is the reason, as the end of a sentence,
    /// without a path.</exception>
    public static byte[] Read(string path)
    {
        if (Directory.Exists(path))
            throw new IOException("it is a folder, not a file");
        if (!PlainFile.Is(path))
            throw new IOException("it is a pipe, a socket or a device, not a file");
        var buffer = ArrayPool<byte>.Shared.Rent(Largest + 1);
        try
        {
            // Editors may write or rename it meanwhile: a half-written file is read again when it has changed.
            using var stream = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var length = stream.ReadAtLeast(buffer.AsSpan(0, Largest + 1), Largest + 1, throwOnEndOfStream: false);
            return length <= Largest ? buffer[..length] : throw new IOException($"it is larger than {Largest} bytes");
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException("it can't be read: permission is denied", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new IOException(new FileInfo(path).LinkTarget is null ? "it is gone" : "it is a link to nothing", e);
        }
        catch (IOException e) when (e.Message.Contains(path, StringComparison.Ordinal))
        {
            throw new IOException($"it can't be read: {e.Message.Split(" : ")[0]}", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
