using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Exporting;

namespace ClaimCheck.Service.Links;

/// <summary>Records of a CSV file as JSON objects, typed by the batch's columns as <c>ndjson</c> would have written them.</summary>
internal sealed class CsvRecords
{
    private readonly (byte[] Prefix, ResultType Type, JsonKind Kind)[] columns;
    private readonly BlockBuilder output = new(new BlockBuffers(64 << 10), int.MaxValue / 4);
    private readonly JsonValueWriter values;
    private byte[] plain = new byte[256];

    /// <param name="columns">The batch's.</param>
    /// <param name="types">Their types, where they are known better than by name.</param>
    public CsvRecords(IReadOnlyList<Column> columns, IReadOnlyList<ResultType>? types)
    {
        values = new(output);
        this.columns = [.. columns.Select((column, index) =>
        {
            var type = types?[index] ?? ColumnTypes.Of(column.Type);
            return (Encoding.UTF8.GetBytes($"{(index == 0 ? '{' : ',')}\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(column.Name)}\":"), type, JsonKinds.Of(type));
        })];
    }

    /// <param name="bytes">Whole records, without a header.</param>
    /// <param name="skip">Records to pass over.</param>
    /// <param name="take">Records to write.</param>
    /// <param name="page">Where to.</param>
    /// <param name="isFirst">No comma goes before the first one.</param>
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
            var length = FieldLength(rest);
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
        // NULL is nothing at all; the empty text is a pair of quotes.
        if (field.IsEmpty)
            output.Append("null"u8);
        else if (field[0] == (byte)'"')
            values.Write(Unquote(field[1..^1]), kind, type);
        else
            values.Write(field, kind, type);
    }

    private ReadOnlySpan<byte> Unquote(ReadOnlySpan<byte> quoted)
    {
        if (quoted.IndexOf((byte)'"') < 0)
            return quoted;
        if (plain.Length < quoted.Length)
            plain = new byte[quoted.Length];
        var length = 0;
        while (quoted.IndexOf((byte)'"') is var at and >= 0)
        {
            quoted[..(at + 1)].CopyTo(plain.AsSpan(length));
            length += at + 1;
            quoted = quoted[(at + 2)..];
        }

        quoted.CopyTo(plain.AsSpan(length));
        return plain.AsSpan(0, length + quoted.Length);
    }

    private static int FieldLength(ReadOnlySpan<byte> rest)
    {
        if (rest[0] != (byte)'"')
            return rest.IndexOfAny((byte)',', (byte)'\n');
        var at = 1;
        while (true)
        {
            at += rest[at..].IndexOf((byte)'"') + 1;
            if (rest[at] != (byte)'"')
                return at;
            at++; // a doubled quote
        }
    }
}
