using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ClaimCheck.Benchmarks;

/// <summary>Count and checksum of orders, whatever their sequence and format: the sum of 60 bits of each row's SHA-256.</summary>
/// <param name="nullIsEmpty">For writers that can't tell NULL from the empty text.</param>
internal sealed class RowSum(bool nullIsEmpty)
{
    private const int Columns = 7;
    private const byte Separator = 0x1f;
    private const byte Null = 0x1e;
    private byte[] row = new byte[1024];
    private int length;
    private int column;
    private bool isHeader;

    public long Rows { get; private set; }

    public UInt128 Sum { get; private set; }

    /// <summary>The same of the table itself: rows, sum, and the sum with NULL as the empty text.</summary>
    public const string Sql = """
        SELECT count(*), sum(strict)::text, sum(loose)::text
          FROM (SELECT ('x' || left(encode(sha256(convert_to(head || coalesce(note, chr(30)) || tail, 'UTF8')), 'hex'), 15))::bit(60)::bigint strict,
                       ('x' || left(encode(sha256(convert_to(head || coalesce(note, '') || tail, 'UTF8')), 'hex'), 15))::bit(60)::bigint loose
                  FROM (SELECT concat_ws(chr(31), id, customer, status, (amount * 100)::bigint, currency, '') head, note,
                               chr(31) || (extract(epoch FROM created_at) * 1000000)::bigint || chr(31) tail
                          FROM orders
                         WHERE id <= $1) parts) sums
        """;

    public void Field(ReadOnlySpan<byte> value, bool isNull)
    {
        if (Rows == 0 && column == 0 && Ascii.EqualsIgnoreCase(value, "id"u8))
            isHeader = true;
        if (!isHeader)
        {
            if (column == 3 && Utf8Parser.TryParse(value, out decimal amount, out _))
                Add(Encoding.ASCII.GetBytes(((long)(amount * 100)).ToString(CultureInfo.InvariantCulture)));
            else if (column == 6)
                Add(Encoding.ASCII.GetBytes(Microseconds(value).ToString(CultureInfo.InvariantCulture)));
            else if (isNull && !nullIsEmpty)
                Add([Null]);
            else
                Add(value);
            Add([Separator]);
        }

        column++;
    }

    public void EndRow()
    {
        if (column != Columns)
            throw new BenchException($"Row {Rows + 1} of an output has {column} values instead of {Columns}.");
        if (!isHeader)
        {
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(row.AsSpan(0, length), hash);
            Sum += BinaryPrimitives.ReadUInt64BigEndian(hash) >> 4;
            Rows++;
        }

        (length, column, isHeader) = (0, 0, false);
    }

    /// <summary>Takes in another file, which may have had a header of its own.</summary>
    public void Add(RowSum other) => (Rows, Sum) = (Rows + other.Rows, Sum + other.Sum);

    // The last value of a row: a line may end with CR and LF.
    private static long Microseconds(ReadOnlySpan<byte> value) =>
        (DateTimeOffset.Parse(
            Encoding.ASCII.GetString(value.TrimEnd((byte)'\r')), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
            - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private void Add(ReadOnlySpan<byte> bytes)
    {
        if (length + bytes.Length > row.Length)
            Array.Resize(ref row, Math.Max(row.Length * 2, length + bytes.Length));
        bytes.CopyTo(row.AsSpan(length));
        length += bytes.Length;
    }
}
