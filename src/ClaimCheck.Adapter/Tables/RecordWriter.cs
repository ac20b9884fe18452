using System.Buffers;
using System.Text.Json;
using ClaimCheck.Consumer;

namespace ClaimCheck.Adapter.Tables;

/// <summary>Writes records as CSV again, fields as texts, NULL as nothing.</summary>
internal sealed class RecordWriter
{
    private const int Piece = 64 << 10;

    private readonly Func<Record, int, byte[]>?[] converted;
    private readonly ArrayBufferWriter<byte> buffer = new(2 * Piece);

    public RecordWriter(IReadOnlyList<Contracts.Column> columns, bool isJson) =>
        converted = [.. columns.Select(column => isJson ? ConverterOf(column.Type) : null)];

    /// <summary>Whether fields of a type can be written so. JSON's arrays are not those of Postgres.</summary>
    public static bool Takes(string type, bool isJson) => !isJson || !type.EndsWith("[]", StringComparison.Ordinal);

    /// <param name="to">Where they go.</param>
    /// <param name="chunk">The records.</param>
    /// <param name="which">Those that are written, by their places.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task WriteAsync(Stream to, RecordChunk<Record> chunk, ReadOnlyMemory<int> which, CancellationToken cancellationToken)
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
    public byte[]? ValueOf(Record record, int column) =>
        record.IsNull(column) ? null : converted[column] is { } convert ? convert(record, column) : record.GetUtf8(column).ToArray();

    /// <summary>All fields of a record.</summary>
    public byte[]?[] ValuesOf(Record record)
    {
        var values = new byte[]?[converted.Length];
        for (var column = 0; column < values.Length; column++)
            values[column] = ValueOf(record, column);
        return values;
    }

    private void Append(Record record)
    {
        for (var column = 0; column < converted.Length; column++)
        {
            if (column > 0)
                buffer.Write(","u8);
            if (record.IsNull(column))
                continue;
            buffer.Write("\""u8);
            Quoted(converted[column] is { } convert ? convert(record, column) : record.GetUtf8(column));
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

    private static Func<Record, int, byte[]>? ConverterOf(string type) => type switch
    {
        "bytea" => (record, column) => System.Text.Encoding.UTF8.GetBytes("\\x" + Convert.ToHexStringLower(record.Get<byte[]>(column)!)),
        // A text in JSON keeps its quotes where it is itself JSON.
        "json" or "jsonb" => (record, column) => System.Text.Encoding.UTF8.GetBytes(record.Get<JsonElement>(column).GetRawText()),
        _ => null,
    };
}
