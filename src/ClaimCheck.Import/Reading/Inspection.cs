using System.Security.Cryptography;
using System.Text.Unicode;
using ClaimCheck.Import.Mapping;

namespace ClaimCheck.Import.Reading;

/// <summary>What is known of a file once it was read as a whole.</summary>
/// <param name="Sha256">Of its bytes as they lie there.</param>
/// <param name="Bytes">So many.</param>
/// <param name="Records">Valid or not.</param>
internal sealed record Inspection(string Sha256, long Bytes, long Records)
{
    /// <summary>
    /// Reads a file from end to end before anything of it is sent: one that breaks off in its middle must not be sent by halves.
    /// </summary>
    /// <exception cref="ImportException">It is broken, or does not go with the mapping.</exception>
    public static async Task<Inspection> OfAsync(
        FeedFile file, ReadingOptions options, MappingOptions mapping, CancellationToken cancellationToken)
    {
        try
        {
            return await LookAsync(file, options, mapping, cancellationToken);
        }
        catch (ImportException e) when (file.IsGzip && e.Code is not (ImportCodes.UnreadableGzip or ImportCodes.UnpacksTooFar))
        {
            // What a damaged gzip inflates to looks wrong in any number of ways before its checksum tells.
            await CheckGzipAsync(file, options, cancellationToken);
            throw;
        }
    }

    private static async Task CheckGzipAsync(FeedFile file, ReadingOptions options, CancellationToken cancellationToken)
    {
        await using var inflated = file.Inflate(FeedFile.OpenPlain(file.Path), options.UnpackRatio);
        try
        {
            await inflated.CopyToAsync(Stream.Null, cancellationToken);
        }
        catch (InvalidDataException e)
        {
            throw new ImportException(ImportCodes.UnreadableGzip, "The gzip is damaged or cut off.", e);
        }
    }

    private static async Task<Inspection> LookAsync(
        FeedFile file, ReadingOptions options, MappingOptions mapping, CancellationToken cancellationToken)
    {
        await using var bytes = new HashedStream(FeedFile.OpenPlain(file.Path));
        await using var feed = await Feed.OpenAsync(file, bytes, options, cancellationToken);
        _ = new RecordMapping(mapping, feed.Format);
        long records = 0;
        while (await feed.Records.ReadAsync(cancellationToken))
        {
            if (!Utf8.IsValid(feed.Records.Record.Span))
                throw new ImportException(ImportCodes.WrongEncoding, $"Line {feed.Records.Line} is not UTF-8.");
            if (++records > options.Records)
                throw new ImportException(ImportCodes.TooManyRecords, $"The file has more than {options.Records} records, which is the limit of reading.records.");
        }
        var (sha256, length) = await bytes.EndAsync(cancellationToken);
        return new(sha256, length, records);
    }

    /// <summary>The checksum alone.</summary>
    public static async Task<string> Sha256OfAsync(string path, CancellationToken cancellationToken)
    {
        await using var bytes = FeedFile.OpenPlain(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(bytes, cancellationToken));
    }
}
