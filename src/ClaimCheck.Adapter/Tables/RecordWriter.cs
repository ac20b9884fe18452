using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using ClaimCheck.Consumer;

namespace ClaimCheck.Adapter.Tables;

/// <summary>Writes records as CSV again, fields as texts, NULL as nothing; each behind its number, where it is to be found again by that.</summary>
internal sealed class RecordWriter
{
    private const int Piece = 64 << 10;

    private readonly Func<Record, int, byte[]>?[] converted;
    private readonly ArrayBufferWriter<byte> buffer = new(2 * Piece);

    public RecordWriter(IReadOnlyList<Contracts.Column> columns, bool isJson) =>
        converted = [.. columns.Select(column => isJson ? ConverterOf(column.Type) : null)];

    /// <summary>Whether fields of a type can be written so. JSON's arrays are not those of Postgres.</summary>
    public static bool Takes(string type, bool isJson) => !isJson || !type.EndsWith("[]", StringComparison.Ordinal);

    public async Task WriteAsync(Stream to, RecordChunk<Record> chunk, int from, int until, bool isNumbered, CancellationToken cancellationToken)
    {
        for (var i = from; i < until; i++)
        {
            Append(chunk[i].Value, isNumbered ? i : null);
            if (buffer.WrittenCount < Piece && i + 1 < until)
                continue;
            await to.WriteAsync(buffer.WrittenMemory, cancellationToken);
            buffer.ResetWrittenCount();
        }
    }

    public void Clear() => buffer.ResetWrittenCount();

    private void Append(Record record, int? number)
    {
        if (number is { } place)
        {
            Utf8Formatter.TryFormat(place, buffer.GetSpan(16), out var written);
            buffer.Advance(written);
        }

        for (var column = 0; column < converted.Length; column++)
        {
            if (column > 0 || number is not null)
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
