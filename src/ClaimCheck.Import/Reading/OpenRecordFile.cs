using System.Text.Unicode;

namespace ClaimCheck.Import.Reading;

/// <summary>An open record file: its header is read, its records come one by one.</summary>
internal sealed class OpenRecordFile : IAsyncDisposable
{
    private readonly Stream stream;
    private readonly RecordReader records;
    private readonly ReadingOptions options;

    private OpenRecordFile(Stream stream, RecordFormat format, RecordReader records, ReadingOptions options)
    {
        this.stream = stream;
        this.records = records;
        this.options = options;
        Format = format;
    }

    public RecordFormat Format { get; }

    /// <summary>The record, without its line end; empty where it is too long. Valid until the next one is read.</summary>
    public ReadOnlyMemory<byte> Record => records.Record;

    /// <summary>The line that it begins in.</summary>
    public long Line => records.Line;

    /// <summary>Null, or what is wrong with a record that was longer than is allowed, and is skipped.</summary>
    public RecordFault? TooLong => records.IsTooLong
        ? new(
            ImportCodes.RecordTooLong,
            $"The record is longer than the {options.RecordBytes} bytes that reading.recordBytes allows.")
        : null;

    /// <summary>The file ends in the record, without a line end: where the file is still being written, more of it may
    /// follow.</summary>
    public bool IsOpenEnded => records.IsOpenEnded;

    /// <param name="file">What it is.</param>
    /// <param name="plain">Its bytes; disposed with this.</param>
    /// <param name="options">How it is read.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="ImportException">It is damaged, or has no header.</exception>
    public static async Task<OpenRecordFile> OpenAsync(
        RecordFile file, Stream plain, ReadingOptions options, CancellationToken cancellationToken)
    {
        var content = file.Inflate(plain, options.UnpackRatio);
        try
        {
            var isOfRejects = file.Format == RecordFile.Rejects;
            RecordFormat format = isOfRejects
                ? new RejectsFormat()
                : file.Format == "csv" ? new CsvRecordFormat((byte)options.Delimiter[0])
                : new NdjsonRecordFormat();
            // A line of rejects contains a record and its failure.
            var reader = new RecordReader(
                content, format, isOfRejects ? (options.RecordBytes * 6) + (64 << 10) : options.RecordBytes);
            var open = new OpenRecordFile(content, format, reader, options);
            if (format is CsvRecordFormat csv)
                await open.TakeHeaderAsync(csv, cancellationToken);
            return open;
        }
        catch
        {
            await content.DisposeAsync();
            throw;
        }
    }

    /// <returns>False at the end.</returns>
    /// <exception cref="ImportException">The file is damaged.</exception>
    public ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        // Most records are in the buffer already, without a wait.
        var reading = records.ReadAsync(cancellationToken);
        return reading.IsCompletedSuccessfully ? reading : ExplainAsync(reading);
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();

    private static async ValueTask<bool> ExplainAsync(ValueTask<bool> reading)
    {
        try
        {
            return await reading;
        }
        catch (RecordFileException e)
        {
            throw Explained(e);
        }
    }

    private async Task TakeHeaderAsync(CsvRecordFormat csv, CancellationToken cancellationToken)
    {
        if (!await ReadAsync(cancellationToken))
            throw new ImportException(ImportCodes.NoHeader, "The file is empty: not even a header is there.");
        if (TooLong is not null)
            throw new ImportException(ImportCodes.NoHeader, $"The first line is longer than the {options.RecordBytes} bytes that "
                + "reading.recordBytes allows: that is not a header.");
        if (!Utf8.IsValid(Record.Span))
            throw new ImportException(RecordCodes.WrongEncoding, "The header is not UTF-8.");
        try
        {
            // Its values are used again later, when the reader's buffer contains other records.
            csv.TakeHeader(Record.ToArray());
        }
        catch (RecordFileException e)
        {
            throw Explained(e);
        }
    }

    private static ImportException Explained(RecordFileException e) => new(e.Code, e.Message, e.InnerException);
}
