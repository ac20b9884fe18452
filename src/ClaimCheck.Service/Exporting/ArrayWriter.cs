namespace ClaimCheck.Service.Exporting;

/// <summary>Writes the text of Postgres arrays, <c>{1,NULL,"a \"b\""}</c> or <c>[2:3]={…}</c>, as JSON arrays.</summary>
internal sealed class ArrayWriter(BlockBuilder output, JsonValueWriter values)
{
    private byte[] plain = new byte[256];
    private int used;

    public void Write(ReadOnlySpan<byte> text, ResultType type)
    {
        var element = type.Element!;
        var kind = JsonKinds.Of(element);
        // Bounds other than the usual come first, and say nothing that JSON could.
        var at = text[0] == (byte)'[' ? text.IndexOf((byte)'=') + 1 : 0;
        for (; at < text.Length; at++)
        {
            switch (text[at])
            {
                case (byte)'{':
                    output.Append((byte)'[');
                    break;
                case (byte)'}':
                    output.Append((byte)']');
                    break;
                case (byte)'"':
                    at += WriteQuoted(text[(at + 1)..], kind, element);
                    break;
                case var delimiter when delimiter == (byte)type.Delimiter:
                    output.Append((byte)',');
                    break;
                default:
                    at += WriteBare(text[at..], kind, element, (byte)type.Delimiter) - 1;
                    break;
            }
        }
    }

    /// <returns>The length up to and including the closing quote.</returns>
    private int WriteQuoted(ReadOnlySpan<byte> text, JsonKind kind, ResultType element)
    {
        // An element may itself be an array (of a domain): the buffer is used as a stack.
        var start = used;
        var at = 0;
        while (true)
        {
            var run = text[at..].IndexOfAny((byte)'"', (byte)'\\');
            Push(text.Slice(at, run));
            at += run;
            if (text[at] == (byte)'"')
                break;
            Push(text.Slice(at + 1, 1));
            at += 2;
        }

        values.Write(plain.AsSpan(start, used - start), kind, element);
        used = start;
        return at + 1;
    }

    /// <returns>The element's length.</returns>
    private int WriteBare(ReadOnlySpan<byte> text, JsonKind kind, ResultType element, byte delimiter)
    {
        var bare = text[..text.IndexOfAny(delimiter, (byte)'}')];
        if (bare.SequenceEqual("NULL"u8))
            output.Append("null"u8);
        else
            values.Write(bare, kind, element);
        return bare.Length;
    }

    private void Push(ReadOnlySpan<byte> bytes)
    {
        if (plain.Length - used < bytes.Length)
            Array.Resize(ref plain, Math.Max(plain.Length * 2, used + bytes.Length));
        bytes.CopyTo(plain.AsSpan(used));
        used += bytes.Length;
    }
}
