namespace ClaimCheck.Consumer.Handling;

/// <summary>
/// Reads a batch's records chunk by chunk, into arrays that are reused. A record that does not fit the type is not a member of
/// its chunk, but a terminal failure of its own.
/// </summary>
internal sealed class ChunkBuffer<T>
{
    /// <summary>The code of a record that does not fit <typeparamref name="T"/>.</summary>
    public const string Mismatch = "record_mismatch";

    private readonly BatchRead read;
    private readonly RecordFields fields;
    private readonly Func<int, T> make;
    private readonly List<(int Place, string Message)> mismatches = [];
    private T[] values;
    private int[] places;

    public ChunkBuffer(BatchRead read, BulkReadyData ready, int size)
    {
        Ready = ready;
        this.read = read;
        fields = new RecordFields(read.Manifest);
        (values, places) = (new T[Math.Min(size, 1024)], new int[Math.Min(size, 1024)]);
        Size = size;
        if (typeof(T) == typeof(Record))
        {
            make = index =>
            {
                var record = new Record(read.Rows, fields, index);
                return Unsafe.As<Record, T>(ref record); // no boxing per record
            };
            return;
        }
        var map = RecordMap<T>.For(read.Manifest.Columns);
        make = index =>
        {
            read.Rows.Select(index);
            return map.Make(read.Rows);
        };
    }

    /// <summary>What was announced of the batch.</summary>
    public BulkReadyData Ready { get; }

    public int Size { get; }

    /// <summary>Records in the chunk that fit the type.</summary>
    public int Count { get; private set; }

    /// <summary>Records in the chunk, including those that do not fit.</summary>
    public int Taken { get; private set; }

    public BatchPosition Start { get; private set; }

    public BatchPosition Next { get; private set; }

    public IReadOnlyList<Column> Columns => read.Manifest.Columns;

    /// <summary>The records read, as they are stored in their block; null where that was changed.</summary>
    public ReadOnlyMemory<byte>? Written => read.Rows.Written;

    public ReadOnlySpan<T> Values => values.AsSpan(0, Count);

    /// <summary>Records that do not fit, by their index among those read.</summary>
    public IReadOnlyList<(int Place, string Message)> Mismatches => mismatches;

    /// <summary>Reads the next records of the block.</summary>
    /// <returns>False at its end.</returns>
    public bool Fill()
    {
        Start = read.Position;
        Taken = read.Take(Size);
        Next = read.Position;
        Count = 0;
        mismatches.Clear();
        if (Taken > values.Length)
            (values, places) = (new T[Taken], new int[Taken]);
        for (var i = 0; i < Taken; i++)
        {
            try
            {
                values[Count] = make(i);
                places[Count++] = i;
            }
            catch (RecordMismatchException e)
            {
                mismatches.Add((i, e.Message));
            }
        }
        read.Rows.Select(0);
        return Taken > 0;
    }

    public int PlaceOf(int index) => places[index];

    public Record RawOf(int index) => new(read.Rows, fields, places[index]);

    public string KeyOf(int place) => new Record(read.Rows, fields, place).Key;
}
