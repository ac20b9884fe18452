namespace ClaimCheck.Import.Reading;

/// <summary>Rejects, read back: each line contains the record, and the line number that it had.</summary>
internal sealed class RejectsFormat : NdjsonRecordFormat
{
    private long? line;

    public override long? Line => line;

    public override RecordFormat Again() => new RejectsFormat();

    protected override ReadOnlyMemory<byte> RecordOf(ReadOnlyMemory<byte> line)
    {
        var reject = RejectLine.Read(line.Span);
        this.line = reject.Line;
        return reject.Record is { } record ? line[record] : throw new JsonException();
    }
}
