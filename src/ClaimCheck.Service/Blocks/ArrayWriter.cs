namespace ClaimCheck.Service.Blocks;

/// <summary>Writes the text of Postgres arrays, <c>{1,NULL,"a \"b\""}</c> or <c>[2:3]={…}</c>, as JSON arrays.</summary>
internal sealed class ArrayWriter(BlockBuilder output, JsonValueWriter values, EncodeSteps steps)
{
    private static readonly SearchValues<byte> BoundsBytes = SearchValues.Create("[]:-0123456789"u8);

    private byte[] plain = new byte[256];
    private int used;

    /// <exception cref="FormatException">It is not the text of an array; the caller removes what was written of it.</exception>
    public void Write(ReadOnlySpan<byte> text, ResultType type)
    {
        var element = type.Element!;
        var kind = JsonKinds.Of(element);
        var delimiter = (byte)type.Delimiter;
        var at = BoundsLength(text);
        var depth = 0;
        var isValueNext = true;
        do
        {
            steps.Take();
            if (at == text.Length)
                throw Malformed();
            switch (text[at])
            {
                case (byte)'{' when isValueNext:
                    output.Append((byte)'[');
                    depth++;
                    at++;
                    isValueNext = at < text.Length && text[at] != (byte)'}';
                    break;
                case (byte)'}' when !isValueNext:
                    output.Append((byte)']');
                    depth--;
                    at++;
                    break;
                case var other when other == delimiter && !isValueNext:
                    output.Append((byte)',');
                    at++;
                    isValueNext = true;
                    break;
                case (byte)'"' when isValueNext && depth > 0:
                    at += 1 + WriteQuoted(text[(at + 1)..], kind, element);
                    isValueNext = false;
                    break;
                case not (byte)'"' when isValueNext && depth > 0:
                    at += WriteBare(text[at..], kind, element, delimiter);
                    isValueNext = false;
                    break;
                default:
                    throw Malformed();
            }
        }
        while (depth > 0);

        if (at < text.Length)
            throw Malformed();
    }

    // Bounds other than the usual ones come first; JSON can't express them.
    private static int BoundsLength(ReadOnlySpan<byte> text)
    {
        if (text is not [(byte)'[', ..])
            return 0;
        var equals = text.IndexOf((byte)'=');
        return equals >= 0 && !text[..equals].ContainsAnyExcept(BoundsBytes) ? equals + 1 : throw Malformed();
    }

    /// <returns>The length up to and including the closing quote.</returns>
    private int WriteQuoted(ReadOnlySpan<byte> text, JsonKind kind, ResultType element)
    {
        // An element may itself be an array (of a domain): the buffer is used as a stack.
        var start = used;
        var at = 0;
        while (true)
        {
            steps.Take();
            var run = text[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (run < 0)
                throw Malformed();
            Push(text.Slice(at, run));
            at += run;
            if (text[at] == (byte)'"')
                break;
            if (at + 1 == text.Length)
                throw Malformed();
            Push(text.Slice(at + 1, 1));
            at += 2;
        }

        try
        {
            values.Write(plain.AsSpan(start, used - start), kind, element);
        }
        finally
        {
            used = start;
        }

        return at + 1;
    }

    /// <returns>The element's length.</returns>
    private int WriteBare(ReadOnlySpan<byte> text, JsonKind kind, ResultType element, byte delimiter)
    {
        var end = text.IndexOfAny(delimiter, (byte)'}');
        if (end <= 0)
            throw Malformed();
        var bare = text[..end];
        if (bare.IndexOfAny((byte)'{', (byte)'"', (byte)'\\') >= 0)
            throw Malformed();
        if (bare.SequenceEqual("NULL"u8))
            output.Append("null"u8);
        else
            values.Write(bare, kind, element);
        return end;
    }

    private void Push(ReadOnlySpan<byte> bytes)
    {
        if (plain.Length - used < bytes.Length)
            Array.Resize(ref plain, (int)Math.Min(Math.Max(plain.Length * 2L, (long)used + bytes.Length), Array.MaxLength));
        bytes.CopyTo(plain.AsSpan(used));
        used += bytes.Length;
    }

    private static FormatException Malformed() => new("is not an array as Postgres writes one");
}
