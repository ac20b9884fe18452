namespace ClaimCheck.Import.Running;

/// <summary>Writes lines of the rejects: where a record came from, why it failed, and the record unchanged.</summary>
internal sealed class RejectLines(RecordFormat format, RecordMapping mapping)
{
    private readonly Lock writing = new();

    public ReadOnlyMemory<byte> OfInvalid(RecordBatch batch)
    {
        var lines = new ArrayBufferWriter<byte>();
        foreach (var (line, source, fault) in batch.Invalid)
            Write(lines, line, null, RejectClass.Invalid, fault.Code, fault.Message, source);
        return lines.WrittenMemory;
    }

    public void Add(ArrayBufferWriter<byte> lines, RecordBatch batch, int index, RecordOutcome outcome) => Write(
        lines, batch.Line(index), mapping.KeyOf(batch.Item(index)),
        outcome.Class == OutcomeClass.Transient ? RejectClass.Transient : RejectClass.Terminal, outcome.Code!, outcome.Message,
        batch.Source(index));

    private void Write(
        ArrayBufferWriter<byte> lines, long line, string? key, string failureClass, string code, string? message,
        ReadOnlyMemory<byte> source)
    {
        // The format holds one record at a time, and batches fail at the same time.
        lock (writing)
        {
            using (var json = new Utf8JsonWriter(lines, RecordJson.Writer))
            {
                json.WriteStartObject();
                json.WriteNumber("line", line);
                json.WriteString("key", key);
                json.WriteString("class", failureClass);
                json.WriteString("code", code);
                json.WriteString("message", message);
                json.WritePropertyName("record");
                if (source.IsEmpty)
                    json.WriteNullValue();
                else
                    format.WriteSource(json, source);
                json.WriteEndObject();
            }
            lines.Write("\n"u8);
        }
    }
}
