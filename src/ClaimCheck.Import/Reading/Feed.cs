using System.Text.Unicode;

namespace ClaimCheck.Import.Reading;

/// <summary>An open file: its header is read, its records come one by one.</summary>
internal sealed class Feed : IAsyncDisposable
{
    private readonly Stream stream;

    private Feed(Stream stream, RecordFormat format, RecordReader records)
    {
        this.stream = stream;
        Format = format;
        Records = records;
    }

    public RecordFormat Format { get; }

    public RecordReader Records { get; }

    /// <param name="file">What it is.</param>
    /// <param name="plain">Its bytes; disposed with this.</param>
    /// <param name="options">How it is read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ImportException">It is broken, or has no header.</exception>
    public static async Task<Feed> OpenAsync(FeedFile file, Stream plain, ReadingOptions options, CancellationToken cancellationToken)
    {
        var content = file.Inflate(plain, options.UnpackRatio);
        try
        {
            RecordFormat format = file.Format switch
            {
                "csv" => new CsvFormat((byte)options.Delimiter[0]),
                "bucket" => new BucketFormat(),
                _ => new NdjsonFormat(),
            };
            // A bucket's line holds a record and what was said of it.
            var reader = new RecordReader(content, format, file.Format == "bucket" ? (options.RecordBytes * 6) + (64 << 10) : options.RecordBytes);
            if (format is CsvFormat csv)
            {
                if (!await reader.ReadAsync(cancellationToken))
                    throw new ImportException(ImportCodes.NoHeader, "The file is empty: not even a header is there.");
                if (reader.IsTooLong)
                    throw new ImportException(ImportCodes.NoHeader, $"The first line is longer than the {options.RecordBytes} bytes that reading.recordBytes allows: that is not a header.");
                if (!Utf8.IsValid(reader.Record.Span))
                    throw new ImportException(ImportCodes.WrongEncoding, "The header is not UTF-8.");
                // Its values are looked at again later, when the reader's buffer holds other records.
                csv.TakeHeader(reader.Record.ToArray());
            }
            return new Feed(content, format, reader);
        }
        catch
        {
            await content.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
    }
}
