using ClaimCheck.Consumer.Downloads;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Records;

/// <summary>
/// Finds the records of a block, and where each field of the current one lies in its buffer. Nothing is copied, and no string is
/// made, until a field is asked for.
/// </summary>
internal abstract class Rows
{
    private string file = "";
    private int block;
    private long record;

    protected Rows(IReadOnlyList<Column> columns)
    {
        Columns = columns;
        Starts = new int[columns.Count];
        Lengths = new int[columns.Count];
    }

    public IReadOnlyList<Column> Columns { get; }

    /// <summary>Whose records they are.</summary>
    public BatchId? BatchId { get; init; }

    /// <summary>Raised by each record: a view of an older one is stale.</summary>
    public long Version { get; private set; }

    protected byte[] Buffer { get; private set; } = [];

    protected int End { get; private set; }

    protected int Position { get; set; }

    /// <summary>Where each field's bytes begin.</summary>
    protected int[] Starts { get; }

    /// <summary>How long each field's bytes are; -1 is NULL.</summary>
    protected int[] Lengths { get; }

    public static Rows For(Manifest manifest) =>
        manifest.Format == "csv"
            ? new CsvRows(manifest.Columns) { BatchId = manifest.BatchId }
            : new JsonRows(manifest.Columns) { BatchId = manifest.BatchId };

    public void Load(VerifiedBlock verified) => Load(verified.Buffer, verified.Length, verified.File, verified.Ordinal);

    public void Load(byte[] buffer, int length, string fileName, int blockOrdinal)
    {
        (Buffer, End, Position) = (buffer, length, 0);
        (file, block, record) = (fileName, blockOrdinal, 0);
        Version++;
    }

    /// <summary>Finds the next record's fields; false at the block's end.</summary>
    /// <exception cref="IntegrityException">What follows is no whole record.</exception>
    public bool Next()
    {
        Version++;
        if (Position >= End)
            return false;
        record++;
        Find();
        return true;
    }

    public bool IsNull(int column) => Lengths[column] < 0;

    /// <summary>The value as UTF-8 text, unquoted and unescaped. Empty for NULL.</summary>
    public abstract ReadOnlySpan<byte> Text(int column);

    /// <summary>The value as a piece of JSON, where the format or the column's type makes it one.</summary>
    public abstract ReadOnlySpan<byte> Json(int column);

    /// <summary>The bytes of a bytea.</summary>
    /// <exception cref="FormatException">They are not written as this format writes them.</exception>
    public abstract byte[] Binary(int column);

    /// <summary>Where the current record is, for a person.</summary>
    public string Where() => $"record {record} of block {block} of {file}";

    protected abstract void Find();

    protected IntegrityException Broken(string how) => new($"What should be {Where()} is broken: {how}.", BatchId);
}
