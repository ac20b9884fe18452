using System.Text.Encodings.Web;
using ClaimCheck.Records.Csv;

namespace ClaimCheck.Service.Batches;

/// <summary>Records of a CSV file as JSON objects, typed by the batch's columns as <c>ndjson</c> would have written them. A value
/// that does not have its type's form, as producers may upload it, is given as its text: one value must not hide the
/// others.</summary>
internal sealed class CsvRecords
{
    private readonly (byte[] Prefix, ResultType Type, JsonKind Kind)[] columns;
    private readonly BlockBuilder output = new(new BlockBuffers(64 << 10), int.MaxValue / 4);
    private readonly JsonValueWriter values;
    private byte[] plain = new byte[256];

    /// <param name="columns">The batch's columns.</param>
    /// <param name="types">Their types, where more is known than their names.</param>
    /// <param name="cancellationToken">Cancels the writing of large values.</param>
    public CsvRecords(IReadOnlyList<Column> columns, IReadOnlyList<ResultType>? types, CancellationToken cancellationToken)
    {
        values = new(output, cancellationToken);
        this.columns = [.. columns.Select((column, index) =>
        {
            var type = types?[index] ?? ColumnTypes.Of(column.Type);
            return (Encoding.UTF8.GetBytes(
                $"{(index == 0 ? '{' : ',')}\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(column.Name)}\":"),
                type, JsonKinds.Of(type));
        })];
    }

    /// <param name="bytes">Whole records, without a header.</param>
    /// <param name="skip">Records to skip.</param>
    /// <param name="take">Records to write.</param>
    /// <param name="page">The target.</param>
    /// <param name="isFirst">No comma goes before the first one.</param>
    /// <exception cref="InvalidDataException">There are fewer records, or they are not CSV of these columns.</exception>
    public void Write(ReadOnlySpan<byte> bytes, int skip, int take, ArrayBufferWriter<byte> page, bool isFirst)
    {
        for (; skip > 0; skip--)
            Read(ref bytes, isWritten: false);
        for (; take > 0; take--, isFirst = false)
        {
            if (!isFirst)
                output.Append((byte)',');
            Read(ref bytes, isWritten: true);
        }

        page.Write(output.Written);
    }

    private void Read(ref ReadOnlySpan<byte> rest, bool isWritten)
    {
        for (var i = 0; i < columns.Length; i++)
        {
            var length = FieldLength(rest, isLast: i == columns.Length - 1);
            if (isWritten)
            {
                output.Append(columns[i].Prefix);
                Write(rest[..length], columns[i].Kind, columns[i].Type);
            }

            rest = rest[(length + 1)..]; // behind the comma, or the line feed
        }

        if (isWritten)
            output.Append((byte)'}');
    }

    private void Write(ReadOnlySpan<byte> field, JsonKind kind, ResultType type)
    {
        // An empty field is NULL; the empty text is a pair of quotes.
        if (field.IsEmpty)
            output.Append("null"u8);
        else
            WriteValue(CsvField.Value(field, ref plain), kind, type);
    }

    private void WriteValue(ReadOnlySpan<byte> value, JsonKind kind, ResultType type)
    {
        var start = output.Written.Length;
        try
        {
            values.Write(value, kind, type);
        }
        catch (FormatException)
        {
            output.Truncate(start);
            values.Write(value, JsonKind.Text, type);
        }
    }

    /// <returns>The length up to the comma, or to the line feed that must end the last one.</returns>
    private static int FieldLength(ReadOnlySpan<byte> rest, bool isLast)
    {
        var length = rest is [(byte)'"', ..] ? CsvField.QuotedLength(rest) : rest.IndexOfAny((byte)',', (byte)'\n');
        return length >= 0 && length < rest.Length && rest[length] == (isLast ? (byte)'\n' : (byte)',') ? length : throw NotCsv();
    }

    private static InvalidDataException NotCsv() => new("The records are not CSV of these columns.");
}
