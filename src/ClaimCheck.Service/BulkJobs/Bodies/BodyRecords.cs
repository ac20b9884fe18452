using System.IO.Pipelines;

namespace ClaimCheck.Service.BulkJobs.Bodies;

/// <summary>Splits a body that streams in into its records: lines, or rows of CSV, where a line end within quotes ends no row.
/// Holds one record in memory.</summary>
internal sealed class BodyRecords(PipeReader body, bool isCsv, int longest)
{
    private bool hasBegun;
    private bool isQuoted;
    private bool isSkipping;
    private long scanned;

    /// <summary>
    /// Calls <paramref name="take"/> for each record, without its line end; with an empty record where it is longer than the
    /// limit.
    /// </summary>
    /// <exception cref="InvalidDataException">A quoted field has no end.</exception>
    public async Task ReadAsync(Func<ReadOnlySequence<byte>?, ValueTask> take, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            try
            {
                if (await TakeAsync(read, take))
                    return;
            }
            catch
            {
                // The server reads on where this stops, in order to answer; it can't while a read is open.
                body.AdvanceTo(read.Buffer.End);
                throw;
            }
        }
    }

    // Nothing throws after the reader was advanced.
    private async ValueTask<bool> TakeAsync(ReadResult read, Func<ReadOnlySequence<byte>?, ValueTask> take)
    {
        var buffer = read.Buffer;
        if (!hasBegun)
        {
            if (buffer.Length < Mark.Length && !read.IsCompleted)
            {
                body.AdvanceTo(buffer.Start, buffer.End);
                return false;
            }

            buffer = buffer.Slice(IsMarked(buffer) ? Mark.Length : 0);
            hasBegun = true;
        }

        while (FindEnd(buffer) is { } end)
        {
            var record = buffer.Slice(0, end);
            // However it arrives: a record that has come whole may be too long as well.
            if (isSkipping || record.Length > longest)
                await take(null);
            else
                await take(Trim(record));
            (isSkipping, scanned) = (false, 0);
            buffer = buffer.Slice(buffer.GetPosition(1, end));
        }

        if (read.IsCompleted)
        {
            if (isQuoted)
                throw new InvalidDataException("A quoted field has no end.");
            if (isSkipping || buffer.Length > longest)
                await take(null);
            else if (!buffer.IsEmpty)
                await take(Trim(buffer));
            body.AdvanceTo(buffer.End);
            return true;
        }

        if (buffer.Length > longest)
        {
            // Within quotes that were perhaps never closed, the end of the record can't be found.
            if (isQuoted)
                throw new InvalidDataException($"A quoted field has no end within the {longest} bytes that "
                    + "ClaimCheck:BulkJobs:MaxItemBytes allows for an item.");
            isSkipping = true;
            scanned = 0;
            body.AdvanceTo(buffer.End);
        }
        else
        {
            body.AdvanceTo(buffer.Start, buffer.End);
        }

        return false;
    }

    // Continues behind what was looked at before.
    private SequencePosition? FindEnd(ReadOnlySequence<byte> buffer)
    {
        var rest = buffer.Slice(scanned);
        if (!isCsv)
        {
            scanned = buffer.Length;
            return rest.PositionOf((byte)'\n');
        }

        var reader = new SequenceReader<byte>(rest);
        while (reader.TryAdvanceToAny(isQuoted ? "\""u8 : "\"\n"u8, advancePastDelimiter: false))
        {
            var place = scanned + reader.Consumed;
            reader.TryRead(out var found);
            if (found == '\n')
                return rest.GetPosition(reader.Consumed - 1);
            // A quote within an unquoted field opens nothing: only its row is malformed, not all rows that follow.
            if (isQuoted || place == 0 || buffer.Slice(place - 1, 1).FirstSpan[0] is (byte)',' or (byte)'"')
                isQuoted = !isQuoted;
        }

        scanned = buffer.Length;
        return null;
    }

    // The byte order mark that some editors write.
    private static ReadOnlySpan<byte> Mark => "\uFEFF"u8;

    private static bool IsMarked(ReadOnlySequence<byte> body) => new SequenceReader<byte>(body).IsNext(Mark);

    private static ReadOnlySequence<byte> Trim(ReadOnlySequence<byte> record)
    {
        if (!record.IsEmpty && record.Slice(record.Length - 1).FirstSpan[0] == '\r')
            return record.Slice(0, record.Length - 1);
        return record;
    }
}
