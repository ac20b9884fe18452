namespace ClaimCheck.Records.Files;

/// <summary>Splits a stream into records, with one buffer that grows to the longest record that is allowed.</summary>
internal sealed class RecordReader(Stream stream, RecordFormat format, int longest)
{
    private const int FirstBytes = 256 << 10;

    private byte[] buffer = new byte[FirstBytes];
    private int start;
    private int scanned;
    private int end;
    private long nextLine = 1;
    private bool began;

    /// <summary>The record, without its line end; empty where it is too long. Valid until the next one is read.</summary>
    public ReadOnlyMemory<byte> Record { get; private set; }

    /// <summary>The line that it begins in.</summary>
    public long Line { get; private set; }

    /// <summary>It was longer than is allowed, and is skipped.</summary>
    public bool IsTooLong { get; private set; }

    /// <summary>The file ends in it, without a line end: where the file is still being written, more of it may follow.</summary>
    public bool IsOpenEnded { get; private set; }

    /// <returns>False at the end.</returns>
    /// <exception cref="RecordFileException">The file is damaged.</exception>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        while (await NextAsync(cancellationToken))
        {
            if (IsTooLong || !format.IsBlank(Record.Span))
                return true;
        }
        return false;
    }

    private async ValueTask<bool> NextAsync(CancellationToken cancellationToken)
    {
        Line = nextLine;
        IsTooLong = false;
        while (true)
        {
            var found = format.FindEnd(buffer.AsSpan(scanned, end - scanned));
            if (found >= 0)
            {
                Take(scanned + found);
                start = scanned = scanned + found + 1;
                nextLine++;
                return true;
            }
            scanned = end;
            if (end - start > longest)
            {
                IsTooLong = true;
                nextLine += buffer.AsSpan(start, end - start).Count((byte)'\n');
                start = scanned = end = 0;
            }
            if (await FillAsync(cancellationToken))
                continue;
            if (format.IsOpen)
                throw new RecordFileException(
                    RecordCodes.UnterminatedQuote, $"The quote that is opened in the record at line {Line} is never closed.");
            if (start == end && !IsTooLong)
                return false;
            Take(end);
            start = scanned = end;
            return IsOpenEnded = true;
        }
    }

    private void Take(int until)
    {
        nextLine += buffer.AsSpan(start, until - start).Count((byte)'\n');
        IsTooLong |= until - start > longest;
        var length = until - start;
        if (length > 0 && buffer[until - 1] == (byte)'\r')
            length--;
        Record = IsTooLong ? default : buffer.AsMemory(start, length);
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (scanned, end, start) = (scanned - start, end - start, 0);
        }
        if (end == buffer.Length)
            Array.Resize(ref buffer, buffer.Length * 2);
        int read;
        try
        {
            read = await stream.ReadAsync(buffer.AsMemory(end), cancellationToken);
        }
        catch (InvalidDataException e)
        {
            throw new RecordFileException(
                RecordCodes.UnreadableGzip, $"The gzip can't be read on behind line {nextLine}: it is damaged or truncated.", e);
        }
        end += read;
        if (!began && read > 0)
        {
            // A byte order mark may arrive in pieces.
            while (end < 4 && await stream.ReadAsync(buffer.AsMemory(end, 1), cancellationToken) == 1)
                end++;
            began = true;
            SkipMark();
        }
        return read > 0;
    }

    private void SkipMark()
    {
        var bytes = buffer.AsSpan(0, end);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            start = scanned = 3;
        else if (bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, 0, 0xFE, 0xFF, ..])
            throw new RecordFileException(RecordCodes.WrongEncoding, "The file is UTF-16 or UTF-32, but must be UTF-8.");
    }
}
