namespace ClaimCheck.Import.Reading;

/// <summary>
/// A range of records of a file: those that can be sent, and those that can't. The same file, mapping and limits give the same
/// batches each time, so that a number always identifies the same one.
/// </summary>
internal sealed class RecordBatch
{
    private readonly ArrayBufferWriter<byte> items = new();
    private readonly ArrayBufferWriter<byte> sources = new();
    private readonly List<Slot> valid = [];
    private readonly List<(Slot Slot, RecordFault Fault)> invalid = [];

    /// <summary>From 1.</summary>
    public int Number { get; private set; }

    /// <summary>Records that can be sent.</summary>
    public int Count => valid.Count;

    public int InvalidCount => invalid.Count;

    public int ItemBytes => items.WrittenCount;

    /// <summary>It consists of the file's last record only, which has no line end.</summary>
    public bool IsOpenEnded { get; set; }

    public void Begin(int number)
    {
        Number = number;
        IsOpenEnded = false;
        items.ResetWrittenCount();
        sources.ResetWrittenCount();
        valid.Clear();
        invalid.Clear();
    }

    public void Add(long line, ReadOnlySpan<byte> source, ReadOnlySpan<byte> item)
    {
        valid.Add(new(line, sources.WrittenCount, source.Length, items.WrittenCount, item.Length));
        sources.Write(source);
        items.Write(item);
    }

    public void AddInvalid(long line, ReadOnlySpan<byte> source, RecordFault fault)
    {
        invalid.Add((new(line, sources.WrittenCount, source.Length, 0, 0), fault));
        sources.Write(source);
    }

    public ReadOnlyMemory<byte> Item(int index) => items.WrittenMemory.Slice(valid[index].ItemStart, valid[index].ItemLength);

    public ReadOnlyMemory<byte> Source(int index) => SourceOf(valid[index]);

    public long Line(int index) => valid[index].Line;

    public IEnumerable<(long Line, ReadOnlyMemory<byte> Source, RecordFault Fault)> Invalid =>
        invalid.Select(entry => (entry.Slot.Line, SourceOf(entry.Slot), entry.Fault));

    private ReadOnlyMemory<byte> SourceOf(Slot slot) => sources.WrittenMemory.Slice(slot.SourceStart, slot.SourceLength);

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Slot(long Line, int SourceStart, int SourceLength, int ItemStart, int ItemLength);
}
