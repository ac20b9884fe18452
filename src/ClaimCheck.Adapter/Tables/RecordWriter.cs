namespace ClaimCheck.Adapter.Tables;

/// <summary>Writes records as CSV again, with fields as text and NULL as an empty field.</summary>
internal sealed class RecordWriter
{
    private const int Piece = 64 << 10;

    private readonly PostgresType[] types;
    private readonly bool isJson;
    private readonly ArrayBufferWriter<byte> buffer = new(2 * Piece);

    public RecordWriter(IReadOnlyList<Contracts.Column> columns, LoadPlan plan, bool isJson)
    {
        types = [.. columns.Select((column, place) => TypeOf(column, plan.TypeOf(place)))];
        this.isJson = isJson;
    }

    /// <summary>
    /// Whether Postgres might read the content of a block of CSV as a different value: producers may write bytes and intervals in
    /// other forms.
    /// </summary>
    public bool MayBeForeign => types.Any(type => type.Kind is TypeKind.Bytes or TypeKind.Interval);

    /// <summary>Why a record does not fit its columns' types, or null.</summary>
    public string? FaultOf(Record record)
    {
        try
        {
            ValuesOf(record);
            return null;
        }
        catch (RecordMismatchException e)
        {
            return e.Message;
        }
    }

    /// <param name="to">The target.</param>
    /// <param name="chunk">The records.</param>
    /// <param name="which">The records to write, by index.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task WriteAsync(
        Stream to, RecordChunk<Record> chunk, ReadOnlyMemory<int> which, CancellationToken cancellationToken)
    {
        for (var i = 0; i < which.Length; i++)
        {
            Append(chunk[which.Span[i]].Value);
            if (buffer.WrittenCount < Piece && i + 1 < which.Length)
                continue;
            await to.WriteAsync(buffer.WrittenMemory, cancellationToken);
            buffer.ResetWrittenCount();
        }
    }

    public void Clear() => buffer.ResetWrittenCount();

    /// <summary>A field as text, in UTF-8; null where it is NULL.</summary>
    /// <exception cref="RecordMismatchException">It is not of its column's type.</exception>
    public byte[]? ValueOf(Record record, int column) =>
        record.GetPostgresText(column, types[column]) is { } text ? Encoding.UTF8.GetBytes(text) : null;

    /// <summary>All fields of a record.</summary>
    public byte[]?[] ValuesOf(Record record)
    {
        var values = new byte[]?[types.Length];
        for (var column = 0; column < values.Length; column++)
            values[column] = ValueOf(record, column);
        return values;
    }

    private void Append(Record record)
    {
        for (var column = 0; column < types.Length; column++)
        {
            if (column > 0)
                buffer.Write(","u8);
            if (record.IsNull(column))
                continue;
            buffer.Write("\""u8);
            Quoted(IsText(record, column) ? record.GetUtf8(column) : ValueOf(record, column));
            buffer.Write("\""u8);
        }

        buffer.Write("\n"u8);
    }

    private void Quoted(ReadOnlySpan<byte> text)
    {
        for (var quote = text.IndexOf((byte)'"'); quote >= 0; quote = text.IndexOf((byte)'"'))
        {
            buffer.Write(text[..(quote + 1)]);
            buffer.Write("\""u8);
            text = text[(quote + 1)..];
        }

        buffer.Write(text);
    }

    // A text in JSON keeps its quotes where it is itself JSON.
    private bool IsText(Record record, int column) =>
        (!isJson || (types[column].Kind != TypeKind.Json && record.IsPlainText(column)))
        && PostgresText.IsOwn(types[column], record.GetUtf8(column));

    // Of a type that the source's database defines only the name is known; the type of the table's column shows what it consists
    // of.
    private static PostgresType TypeOf(Contracts.Column column, string? target) =>
        PostgresType.Of(column.Type) is var type && type.Kind == TypeKind.Text && !type.IsPlainText && target is not null
            ? PostgresType.Of(target)
            : type;
}
