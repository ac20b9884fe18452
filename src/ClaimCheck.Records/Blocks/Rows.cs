namespace ClaimCheck.Records.Blocks;

/// <summary>
/// Finds the records of a block, one or many at a time, and the position of each field in its buffer. Nothing is copied, and no
/// string is created, until a field is read. A field has a slot: the record's <see cref="Origin"/> plus the column's index.
/// </summary>
internal abstract class Rows
{
    private readonly RowErrors errors;
    private string file = "";
    private int block;
    private long first;
    private long record;
    private int from;
    private bool isChanged;

    protected Rows(IReadOnlyList<Column> columns, RowErrors errors)
    {
        this.errors = errors;
        Columns = columns;
        Starts = new int[columns.Count];
        Lengths = new int[columns.Count];
    }

    public IReadOnlyList<Column> Columns { get; }

    /// <summary>The batch of the records.</summary>
    public BatchId? BatchId { get; init; }

    /// <summary>Incremented whenever other records are found: a view of older ones is stale.</summary>
    public long Version { get; private set; }

    /// <summary>The slot of the current record's first field.</summary>
    public int Origin { get; private set; }

    /// <summary>
    /// The bytes of the records that were found last, as they were written; null where finding their fields changed them.
    /// </summary>
    public ReadOnlyMemory<byte>? Written => isChanged ? default(ReadOnlyMemory<byte>?) : Buffer.AsMemory(from, Position - from);

    protected byte[] Buffer { get; private set; } = [];

    protected int End { get; private set; }

    protected int Position { get; set; }

    /// <summary>Where each field's bytes begin.</summary>
    protected int[] Starts { get; private set; }

    /// <summary>How long each field's bytes are; -1 is NULL.</summary>
    protected int[] Lengths { get; private set; }

    public static Rows For(Manifest manifest, RowErrors errors) =>
        manifest.Format == "csv"
            ? new CsvRows(manifest.Columns, errors) { BatchId = manifest.BatchId }
            : new JsonRows(manifest.Columns, errors) { BatchId = manifest.BatchId };

    public void Load(byte[] buffer, int length, string fileName, int blockOrdinal)
    {
        (Buffer, End, Position, from, isChanged) = (buffer, length, 0, 0, false);
        (file, block, record, first) = (fileName, blockOrdinal, 0, 1);
        Version++;
    }

    /// <summary>Finds the next record's fields; false at the block's end.</summary>
    /// <exception cref="Exception">What follows is not a whole record: one of <see cref="RowErrors"/>.</exception>
    public bool Next() => Fill(1) == 1;

    /// <summary>Finds the fields of the next records, <paramref name="most"/> at most; the first of them is
    /// the current one.</summary>
    /// <returns>The number of records; 0 at the block's end.</returns>
    /// <exception cref="Exception">What follows is not a whole record: one of <see cref="RowErrors"/>.</exception>
    public int Fill(int most)
    {
        Version++;
        first = record + 1;
        (from, isChanged) = (Position, false);
        var count = 0;
        for (; count < most && Position < End; count++)
        {
            Origin = count * Columns.Count;
            if (Origin + Columns.Count > Starts.Length)
                Grow();
            record++;
            Find();
        }
        Origin = 0;
        return count;
    }

    /// <summary>Makes one of the records that were found last the current one.</summary>
    public void Select(int index) => Origin = index * Columns.Count;

    public bool IsNull(int slot) => Lengths[slot] < 0;

    /// <summary>The value as UTF-8 text, unquoted and unescaped. Empty for NULL.</summary>
    public abstract ReadOnlySpan<byte> Text(int slot);

    /// <summary>The value as a piece of JSON, where the format or the column's type makes it one.</summary>
    public abstract ReadOnlySpan<byte> Json(int slot);

    /// <summary>The position of a slot's record, for people.</summary>
    public string Where(int slot) => $"record {first + (slot / Columns.Count)} of block {block} of {file}";

    /// <summary>Finds the fields of the record at <see cref="Position"/>, for the slots from <see cref="Origin"/> on.</summary>
    protected abstract void Find();

    /// <summary>Records that a record's bytes are no longer those that were written.</summary>
    protected void Change() => isChanged = true;

    /// <summary>Makes room for the slots of more records.</summary>
    protected virtual void Grow()
    {
        Starts = Larger(Starts);
        Lengths = Larger(Lengths);
    }

    protected static T[] Larger<T>(T[] slots)
    {
        Array.Resize(ref slots, slots.Length * 2);
        return slots;
    }

    protected Exception Broken(string how) => errors.Broken($"What should be {Where(Origin)} is broken: {how}.", BatchId);

    protected Exception Unreadable(string why) => errors.Unreadable(why, BatchId);
}
