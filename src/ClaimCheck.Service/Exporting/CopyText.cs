namespace ClaimCheck.Service.Exporting;

/// <summary>Undoes the backslash escapes of COPY's text format.</summary>
internal sealed class CopyText
{
    private byte[] plain = new byte[1024];

    /// <summary>The value itself where nothing is escaped, else a copy that holds until the next call.</summary>
    public ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> value)
    {
        var at = value.IndexOf((byte)'\\');
        if (at < 0)
            return value;
        if (plain.Length < value.Length)
            plain = GC.AllocateUninitializedArray<byte>(value.Length * 2);
        var length = 0;
        for (; at >= 0; at = value.IndexOf((byte)'\\'))
        {
            value[..at].CopyTo(plain.AsSpan(length));
            length += at;
            plain[length++] = value[at + 1] switch
            {
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                (byte)'v' => (byte)'\v',
                var other => other,
            };
            value = value[(at + 2)..];
        }

        value.CopyTo(plain.AsSpan(length));
        return plain.AsSpan(0, length + value.Length);
    }
}
