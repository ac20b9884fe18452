using System.Text.Unicode;

namespace ClaimCheck.Service.ProducerBatches;

/// <summary>Splits what producers send into records, checks each, and passes it on to the blocks with a line feed at its end.
/// Messages of failures name the file and the record by its position, never its content.</summary>
internal abstract class ProducerRecords(BlockBuilder blocks, int largestRecord, DistinctKeys? distinct)
{
    private const int UsualBuffer = 256 << 10;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private byte[] buffer = new byte[UsualBuffer];
    private int filled;
    private bool isBegun;
    private long records;
    private long recordsBefore;
    private SourceException? twice;
    private ProducerFile? file;

    public void BeginFile(ProducerFile next)
    {
        recordsBefore += records;
        (file, filled, isBegun, records) = (next, 0, false, 0);
        Restart();
    }

    /// <summary>The buffer for the next bytes of the file.</summary>
    public Memory<byte> Space()
    {
        if (filled == buffer.Length)
            Array.Resize(ref buffer, (int)Math.Min(buffer.Length * 2L, largestRecord + (long)UsualBuffer));
        return buffer.AsMemory(filled, Math.Min(buffer.Length - filled, 2 * blocks.Portion));
    }

    /// <summary>Whether the next record needs larger buffers: <see cref="BlockBuilder.LargeTurn"/> before more of it is
    /// read.</summary>
    public bool WantsLargeTurn => filled == buffer.Length && filled >= BlockBuilder.LargeSource && !blocks.MayGrow;

    /// <summary>Processes the first bytes of the buffer.</summary>
    public void Accept(int count)
    {
        filled += count;
        Cut(isLast: false);
        if (filled > largestRecord)
            throw Failed(
                "upload_record_too_large",
                $"{Place(records + 1)} is larger than the {largestRecord} bytes that ClaimCheck:Uploads:LargestRecord allows.");
        if (buffer.Length > BlockBuilder.LargeSource && filled <= UsualBuffer)
            Array.Resize(ref buffer, UsualBuffer); // nothing of a large record is kept
    }

    /// <summary>No more bytes of the file will come.</summary>
    public void EndFile()
    {
        Cut(isLast: true);
        EndOfFile(isBegun);
        if (records != file!.Records)
            throw Failed("upload_mismatch", $"{file.Name} has {records} records, but {file.Records} were announced.");
        if (twice is not null)
            throw twice;
    }

    /// <summary>A file begins.</summary>
    protected abstract void Restart();

    /// <summary>The position after the next record's line feed, or -1.</summary>
    protected abstract int NextEnd(ReadOnlySpan<byte> bytes, bool isLast);

    /// <summary>The first bytes were removed.</summary>
    protected abstract void Rebase(int count);

    /// <summary>True where it is a record, false where it is the file's header.</summary>
    /// <exception cref="FormatException">It is neither; the text is the end of a sentence.</exception>
    protected abstract bool Check(ReadOnlySpan<byte> record);

    /// <exception cref="FormatException">Something is missing.</exception>
    protected virtual void CheckEnd(bool hadAny)
    {
    }

    /// <summary>The key of the record that is being checked, as its readers will see it; positions are counted over all files. A
    /// duplicate is reported at the file's end: where it is a different file altogether, the producer should be told
    /// that.</summary>
    protected void SeeKey(ReadOnlySpan<byte> key)
    {
        if (twice is not null)
            return;
        try
        {
            distinct?.Add(key, recordsBefore + records + 1);
        }
        catch (SourceException e) when (e.Code == DistinctKeys.NotUniqueCode)
        {
            twice = e;
        }
    }

    protected static SourceException Failed(string code, string detail) => new(code, detail, isTransient: false);

    private void EndOfFile(bool hadAny)
    {
        try
        {
            CheckEnd(hadAny);
        }
        catch (FormatException e)
        {
            throw Failed("upload_malformed", $"{file!.Name} {e.Message}.");
        }
    }

    private void Cut(bool isLast)
    {
        var start = 0;
        while (NextEnd(buffer.AsSpan(0, filled), isLast) is var end and >= 0)
        {
            Take(buffer.AsSpan(start, end - 1 - start));
            start = end;
        }

        if (isLast && start < filled)
        {
            // A file with only a byte order mark has no record.
            var rest = buffer.AsSpan(start, filled - start);
            if (isBegun || !rest.SequenceEqual(ByteOrderMark))
                Take(rest);
            start = filled;
        }

        buffer.AsSpan(start, filled - start).CopyTo(buffer);
        filled -= start;
        Rebase(start);
    }

    private void Take(ReadOnlySpan<byte> line)
    {
        // Lines end in a line feed; a carriage return before it, and a byte order mark, are left out.
        if (!isBegun && line.StartsWith(ByteOrderMark))
            line = line[ByteOrderMark.Length..];
        if (line is [.., (byte)'\r'])
            line = line[..^1];
        isBegun = true;
        try
        {
            if (!Utf8.IsValid(line))
                throw new FormatException("is not UTF-8");
            if (!Check(line))
                return;
        }
        catch (FormatException e)
        {
            throw Failed(
                e is JsonTooDeepException ? "upload_too_deep" : "upload_malformed", $"{Place(records + 1)} {e.Message}.");
        }

        // More than that can't be valid: a small file may decompress to a huge one.
        if (++records > file!.Records)
            throw Failed("upload_mismatch", $"{file.Name} has more than the {file.Records} records that were announced.");
        blocks.Append(line);
        blocks.Append((byte)'\n');
        blocks.EndRecord(blocks.Written.Length);
    }

    private string Place(long record) => $"Record {record} of {file!.Name}";
}
