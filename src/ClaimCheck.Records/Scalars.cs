using System.Buffers.Text;

namespace ClaimCheck.Records;

/// <summary>Booleans, UUIDs and bytes, in the forms in which Postgres reads them and others write them.</summary>
internal static class Scalars
{
    private const int HexDigits = 32;

    /// <summary>As Postgres reads one: any beginning of true, false, yes and no, on, off, 1 and 0, in upper
    /// or lower case.</summary>
    public static bool TryBoolean(ReadOnlySpan<byte> text, out bool value)
    {
        value = text is [(byte)'t'];
        if (value || text is [(byte)'f'])
            return true;
        Span<byte> lower = stackalloc byte[5];
        if (text.Length is 0 or > 5 || Ascii.ToLower(text, lower, out var length) != OperationStatus.Done)
            return false;
        lower = lower[..length];
        value = "true"u8.StartsWith(lower) || "yes"u8.StartsWith(lower) || lower.SequenceEqual("on"u8)
            || lower.SequenceEqual("1"u8);
        return value || "false"u8.StartsWith(lower) || "no"u8.StartsWith(lower)
            || (lower.Length >= 2 && "off"u8.StartsWith(lower)) || lower.SequenceEqual("0"u8);
    }

    /// <summary>As Postgres reads one (any case, in braces, without hyphens or with more of them), and Python's URN.</summary>
    public static bool TryUuid(ReadOnlySpan<byte> text, out Guid uuid)
    {
        if (Utf8Parser.TryParse(text, out uuid, out var used) && used == text.Length)
            return true;
        if (text.StartsWith("urn:uuid:"u8))
            text = text["urn:uuid:"u8.Length..];
        else if (text is [(byte)'{', .. var inner, (byte)'}'])
            text = inner;
        Span<byte> hex = stackalloc byte[HexDigits];
        var count = 0;
        for (var i = 0; i < text.Length; i++)
        {
            // A hyphen may follow any four digits.
            if (text[i] == (byte)'-' && count > 0 && count < HexDigits && count % 4 == 0 && text[i - 1] != (byte)'-')
                continue;
            if (count == HexDigits || !char.IsAsciiHexDigit((char)text[i]))
                return false;
            hex[count++] = text[i];
        }

        return count == HexDigits && Utf8Parser.TryParse(hex, out uuid, out used, 'N') && used == HexDigits;
    }

    /// <summary>Postgres' hex behind <c>\x</c>, or base64 as JSON has it.</summary>
    public static bool TryBytes(ReadOnlySpan<byte> text, out byte[] bytes)
    {
        bytes = [];
        if (text.StartsWith("\\x"u8))
        {
            var hex = text[2..];
            if (hex.Length % 2 != 0)
                return false;
            bytes = new byte[hex.Length / 2];
            return Convert.FromHexString(hex, bytes, out var used, out _) == OperationStatus.Done && used == hex.Length;
        }

        var space = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        if (Base64.DecodeFromUtf8(text, space, out var read, out var written) != OperationStatus.Done || read != text.Length)
            return false;
        bytes = space[..written];
        return true;
    }
}
