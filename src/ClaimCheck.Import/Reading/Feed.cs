using System.Text.Unicode;

namespace ClaimCheck.Import.Reading;

/// <summary>An open file: its header is read, its records are read one by one.</summary>
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
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="ImportException">It is damaged, or has no header.</exception>
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
            // A line of the rejects contains a record and its failure.
            var reader = new RecordReader(content, format, file.Format == "bucket" ? (options.RecordBytes * 6) + (64 << 10) : options.RecordBytes);
            if (format is CsvFormat csv)
            {
                if (!await reader.ReadAsync(cancellationToken))
                    throw new ImportException(ImportCodes.NoHeader, "The file is empty: not even a header is there.");
                if (reader.IsTooLong)
                    throw new ImportException(ImportCodes.NoHeader, $"The first line is longer than the {options.RecordBytes} bytes that reading.recordBytes allows: that is not a header.");
                if (!Utf8.IsValid(reader.Record.Span))
                    throw new ImportException(ImportCodes.WrongEncoding, "The header is not UTF-8.");
                // Its values are used again later, when the reader's buffer contains other records.
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
