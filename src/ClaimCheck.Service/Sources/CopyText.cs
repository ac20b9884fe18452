namespace ClaimCheck.Service.Sources;

/// <summary>Decodes the backslash escapes of COPY's text format.</summary>
internal sealed class CopyText
{
    private byte[] plain = new byte[1024];

    /// <summary>The value itself where nothing is escaped, else a copy that is valid until the next call.</summary>
    /// <exception cref="FormatException">It is not what COPY writes; the text is the end of a sentence.</exception>
    public ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> value)
    {
        var at = value.IndexOf((byte)'\\');
        if (at < 0)
            return value;
        if (plain.Length < value.Length)
            plain = GC.AllocateUninitializedArray<byte>((int)Math.Min(value.Length * 2L, Array.MaxLength));
        var length = 0;
        for (; at >= 0; at = value.IndexOf((byte)'\\'))
        {
            value[..at].CopyTo(plain.AsSpan(length));
            length += at;
            plain[length++] = Meant(value[(at + 1)..]);
            value = value[(at + 2)..];
        }

        value.CopyTo(plain.AsSpan(length));
        return plain.AsSpan(0, length + value.Length);
    }

    /// <summary>The byte that a backslash and the first of <paramref name="rest"/> stand for.</summary>
    /// <exception cref="FormatException">They are not an escape.</exception>
    public static byte Meant(ReadOnlySpan<byte> rest) => rest switch
    {
        [(byte)'\\', ..] => (byte)'\\',
        [(byte)'b', ..] => (byte)'\b',
        [(byte)'f', ..] => (byte)'\f',
        [(byte)'n', ..] => (byte)'\n',
        [(byte)'r', ..] => (byte)'\r',
        [(byte)'t', ..] => (byte)'\t',
        [(byte)'v', ..] => (byte)'\v',
        [] => throw new FormatException("ends within an escape"),
        _ => throw new FormatException("has an escape that COPY does not write"),
    };
}
