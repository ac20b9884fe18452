namespace ClaimCheck.Consumer;

/// <summary>
/// One record as it is stored in its block: fields by name or index, NULL distinguished from the empty text. It is valid until
/// the next record is requested, in a chunk until its handler returns; copy out what must be kept.
/// </summary>
public readonly struct Record : IEquatable<Record>
{
    private readonly Rows rows;
    private readonly RecordFields fields;
    private readonly long version;
    private readonly int origin;

    internal Record(Rows rows, RecordFields fields, int index = 0)
    {
        this.rows = rows;
        this.fields = fields;
        version = rows.Version;
        origin = index * rows.Columns.Count;
    }

    /// <summary>The columns, in order.</summary>
    public IReadOnlyList<Column> Columns => Current.Columns;

    /// <summary>The record key: the key column's value, as text. It names the record in receipts.</summary>
    public string Key => GetText(fields.KeyColumn) ?? throw new IntegrityException("A record's key is NULL.");

    /// <summary>A field's text; null for NULL. Booleans are <c>t</c> and <c>f</c> in csv, <c>true</c> and
    /// <c>false</c> in ndjson.</summary>
    /// <exception cref="RecordMismatchException">The column does not exist.</exception>
    public string? this[string column] => GetText(fields.Place(column));

    /// <summary>Whether a field is NULL.</summary>
    /// <exception cref="RecordMismatchException">The column does not exist.</exception>
    public bool IsNull(string column) => IsNull(fields.Place(column));

    /// <summary>Whether a field is NULL.</summary>
    /// <param name="column">Its index, from 0.</param>
    public bool IsNull(int column) => Current.IsNull(Slot(column));

    /// <summary>A field's text; null for NULL.</summary>
    /// <param name="column">Its index, from 0.</param>
    /// <exception cref="RecordMismatchException">The bytes are not UTF-8; uploaded files may hold such bytes.</exception>
    public string? GetText(int column)
    {
        if (IsNull(column))
            return null;
        try
        {
            return Fields.String(rows, Slot(column));
        }
        catch (DecoderFallbackException)
        {
            throw new RecordMismatchException(
                $"Column {Columns[column].Name} is not valid UTF-8 in {rows.Where(Slot(column))}.", rows.BatchId);
        }
    }

    /// <summary>
    /// Whether a field can be read as text directly: any of CSV, or a string, a number or a boolean of JSON. Columns of type json
    /// can't.
    /// </summary>
    internal bool IsPlainText(int column) =>
        Current is not JsonRows json || json.Json(Slot(column)) is not [(byte)'[' or (byte)'{', ..];

    /// <summary>A field as the text that Postgres reads, whatever format it came in; null for NULL.</summary>
    /// <param name="column">Its index, from 0.</param>
    /// <param name="known">Its type, where more is known than the column's type.</param>
    /// <exception cref="RecordMismatchException">It is not one of its column's type.</exception>
    internal string? GetPostgresText(int column, PostgresType? known = null)
    {
        if (IsNull(column))
            return null;
        var type = known ?? fields.Types[column];
        try
        {
            return rows is JsonRows
                ? PostgresText.OfJson(type, rows.Json(Slot(column)))
                : PostgresText.OfText(type, Fields.String(rows, Slot(column)));
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException or JsonException)
        {
            throw new RecordMismatchException(
                $"Column {Columns[column].Name} ({Columns[column].Type}) in {rows.Where(Slot(column))} "
                + $"{(e is FormatException ? e.Message : "is not valid UTF-8")}.",
                rows.BatchId);
        }
    }

    /// <summary>A field's text as UTF-8, unquoted and unescaped; empty for NULL too. Valid until the next
    /// record is asked for.</summary>
    /// <param name="column">Its index, from 0.</param>
    public ReadOnlySpan<byte> GetUtf8(int column) => Current.Text(Slot(column));

    /// <summary>A field as one of the types that members of typed records may have.</summary>
    /// <exception cref="RecordMismatchException">The column does not exist, its value does not fit, or it is NULL and T
    /// can't be null.</exception>
    public T? Get<T>(string column) => Get<T>(fields.Place(column));

    /// <summary>A field as one of the types that members of typed records may have.</summary>
    /// <param name="column">Its index, from 0.</param>
    /// <exception cref="RecordMismatchException">The value does not fit, or it is NULL and T can't be null.</exception>
    public T? Get<T>(int column) => fields.Read<T>(Current, origin, column);

    /// <summary>Two views of the same record are equal.</summary>
    public bool Equals(Record other) => ReferenceEquals(rows, other.rows) && version == other.version && origin == other.origin;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Record other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(version, origin);

    /// <summary>Two views of the same record are equal.</summary>
    public static bool operator ==(Record left, Record right) => left.Equals(right);

    /// <summary>Two views of different records are not equal.</summary>
    public static bool operator !=(Record left, Record right) => !left.Equals(right);

    private int Slot(int column)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(column);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(column, rows.Columns.Count);
        return origin + column;
    }

    private Rows Current =>
        rows is not null && rows.Version == version
            ? rows
            : throw new InvalidOperationException(
                "This record has expired: a record is valid until the next one is read, or its chunk has been handled.");
}
