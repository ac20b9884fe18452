using System.Security.Cryptography;
using System.Text.Unicode;

namespace ClaimCheck.Import.Reading;

/// <summary>What is known about a file after it was read as a whole.</summary>
/// <param name="Sha256">Of its stored bytes.</param>
/// <param name="Bytes">Their number.</param>
/// <param name="Records">Valid or not.</param>
/// <param name="EndsOpen">The last of them has no line end.</param>
internal sealed record Inspection(string Sha256, long Bytes, long Records, bool EndsOpen)
{
    /// <summary>Reads a file from end to end before anything of it is sent: a truncated one must not be sent in part.</summary>
    /// <exception cref="ImportException">It is damaged, or does not fit the mapping.</exception>
    public static async Task<Inspection> OfAsync(
        RecordFile file, ReadingOptions options, MappingOptions mapping, CancellationToken cancellationToken)
    {
        try
        {
            return await LookAsync(file, options, mapping, cancellationToken);
        }
        catch (ImportException e) when (file.IsGzip && e.Code is not (RecordCodes.UnreadableGzip or ImportCodes.UnpacksTooFar))
        {
            // What a damaged gzip inflates to may look wrong in many ways before its checksum is reached.
            await CheckGzipAsync(file, options, cancellationToken);
            throw;
        }
    }

    private static async Task CheckGzipAsync(RecordFile file, ReadingOptions options, CancellationToken cancellationToken)
    {
        await using var inflated = file.Inflate(RecordFile.OpenPlain(file.Path), options.UnpackRatio);
        try
        {
            await inflated.CopyToAsync(Stream.Null, cancellationToken);
        }
        catch (InvalidDataException e)
        {
            throw new ImportException(RecordCodes.UnreadableGzip, "The gzip is damaged or truncated.", e);
        }
    }

    private static async Task<Inspection> LookAsync(
        RecordFile file, ReadingOptions options, MappingOptions mapping, CancellationToken cancellationToken)
    {
        var plain = RecordFile.OpenPlain(file.Path);
        await using var bytes = new HashedStream(plain);
        CheckLength(plain.Length, options);
        await using var open = await OpenRecordFile.OpenAsync(file, bytes, options, cancellationToken);
        _ = new RecordMapping(mapping, open.Format);
        long records = 0;
        while (await open.ReadAsync(cancellationToken))
        {
            if (!Utf8.IsValid(open.Record.Span))
                throw new ImportException(RecordCodes.WrongEncoding, $"Line {open.Line} is not UTF-8.");
            if (++records > options.Records)
                throw new ImportException(
                    ImportCodes.TooManyRecords,
                    $"The file has more than {options.Records} records, which is the limit of reading.records.");
        }
        var (sha256, length) = await bytes.EndAsync(cancellationToken);
        return new(sha256, length, records, open.IsOpenEnded);
    }

    /// <exception cref="ImportException">It is larger than its limit.</exception>
    public static void CheckLength(long bytes, ReadingOptions options)
    {
        if (bytes > options.FileBytes)
            throw new ImportException(
                ImportCodes.FileTooLarge, $"The file has {bytes} bytes, but reading.fileBytes allows {options.FileBytes}.");
    }

    /// <summary>Compares a file with what was read of it, byte for byte.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bytes">How long it was.</param>
    /// <param name="sha256">The SHA-256 of these bytes.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<FileChange> CompareAsync(string path, long bytes, string sha256, CancellationToken cancellationToken)
    {
        await using var file = RecordFile.OpenPlain(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[128 << 10];
        for (var left = bytes; left > 0;)
        {
            var read = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), cancellationToken);
            if (read == 0)
                return FileChange.Other;
            hash.AppendData(buffer, 0, read);
            left -= read;
        }
        if (Convert.ToHexStringLower(hash.GetCurrentHash()) != sha256)
            return FileChange.Other;
        return await file.ReadAsync(buffer.AsMemory(0, 1), cancellationToken) == 0 ? FileChange.None : FileChange.Grown;
    }
}

/// <summary>What happened to a file since it was read.</summary>
internal enum FileChange
{
    /// <summary>It is the same.</summary>
    None,

    /// <summary>What was read is unchanged, with more behind it.</summary>
    Grown,

    /// <summary>It is a different file.</summary>
    Other,
}
