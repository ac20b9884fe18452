namespace ClaimCheck.Records;

/// <summary>
/// Whether text has the form that the contract promises for its type, as a session writes it with UTC, ISO dates
/// and ISO 8601 intervals. A query can change such settings itself: other forms are refused, not passed on as something else.
/// </summary>
internal static class ValueForms
{
    private const int TimeLength = 8; // 12:34:56

    /// <summary>A number as JSON writes one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool IsNumber(ReadOnlySpan<byte> text)
    {
        var rest = text is [(byte)'-', ..] ? text[1..] : text;
        var whole = Digits(rest);
        if (whole == 0 || (whole > 1 && rest[0] == (byte)'0'))
            return false;
        rest = rest[whole..];
        if (rest is [(byte)'.', .. var fraction])
        {
            if (Digits(fraction) is var count && count == 0)
                return false;
            rest = fraction[count..];
        }

        if (rest is [(byte)'e' or (byte)'E', .. var exponent])
        {
            rest = exponent is [(byte)'+' or (byte)'-', ..] ? exponent[1..] : exponent;
            return rest.Length > 0 && Digits(rest) == rest.Length;
        }

        return rest.IsEmpty;
    }

    /// <summary>Numeric values that JSON numbers can't express.</summary>
    public static bool IsNoFiniteNumber(ReadOnlySpan<byte> text) =>
        text.SequenceEqual("NaN"u8) || text.SequenceEqual("Infinity"u8) || text.SequenceEqual("-Infinity"u8);

    /// <summary><c>2026-01-31</c>, with more digits of the year, or <c>BC</c> behind it.</summary>
    public static bool IsDate(ReadOnlySpan<byte> text) => DateLength(text) is var date and > 0 && IsEra(text[date..]);

    /// <summary><c>2026-01-31 12:34:56.789</c>, and <paramref name="zone"/>.</summary>
    /// <param name="text">A value that is not infinite.</param>
    /// <param name="zone">What must follow.</param>
    /// <param name="isCommon">True where the year has four digits and is not BC: what RFC 3339 can express.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool IsTimestamp(ReadOnlySpan<byte> text, ReadOnlySpan<byte> zone, out bool isCommon)
    {
        isCommon = false;
        var date = DateLength(text);
        if (date == 0 || text.Length < date + 1 + TimeLength || text[date] != (byte)' '
            || !IsTime(text.Slice(date + 1, TimeLength)))
            return false;
        var rest = text[(date + 1 + TimeLength)..];
        if (rest is [(byte)'.', .. var fraction])
        {
            if (Digits(fraction) is var count && count is 0 or > 6)
                return false;
            rest = fraction[count..];
        }

        if (!rest.StartsWith(zone) || !IsEra(rest[zone.Length..]))
            return false;
        isCommon = date == 10 && rest.Length == zone.Length;
        return true;
    }

    /// <summary><c>P1Y2M3DT4H5M6.7S</c>.</summary>
    public static bool IsInterval(ReadOnlySpan<byte> text)
    {
        if (text is not [(byte)'P', .. { Length: > 0 } rest])
            return false;
        var isTime = false;
        while (!rest.IsEmpty)
        {
            if (rest[0] == (byte)'T' && !isTime)
            {
                isTime = true;
                rest = rest[1..];
            }

            rest = rest is [(byte)'-', ..] ? rest[1..] : rest;
            var digits = Digits(rest);
            if (digits == 0 || digits == rest.Length)
                return false;
            rest = rest[digits..];
            if (rest is [(byte)'.', .. var fraction] && isTime)
            {
                if (Digits(fraction) is var count && (count == 0 || fraction.Length == count || fraction[count] != (byte)'S'))
                    return false;
                rest = fraction[count..];
            }

            if (!(isTime ? "HMS"u8 : "YMWD"u8).Contains(rest[0]))
                return false;
            rest = rest[1..];
        }

        return true;
    }

    private static bool IsEra(ReadOnlySpan<byte> rest) => rest.IsEmpty || rest.SequenceEqual(" BC"u8);

    private static bool IsTime(ReadOnlySpan<byte> text) =>
        text[2] == (byte)':' && text[5] == (byte)':' && AreDigits(text[..2]) && AreDigits(text[3..5]) && AreDigits(text[6..]);

    /// <returns>0 where it does not begin with a date.</returns>
    private static int DateLength(ReadOnlySpan<byte> text)
    {
        var year = Digits(text);
        return year >= 4 && text[year..] is [(byte)'-', _, _, (byte)'-', _, _, ..]
            && AreDigits(text.Slice(year + 1, 2)) && AreDigits(text.Slice(year + 4, 2)) ? year + 6 : 0;
    }

    private static bool AreDigits(ReadOnlySpan<byte> text) => Digits(text) == text.Length;

    private static int Digits(ReadOnlySpan<byte> text)
    {
        var count = 0;
        while (count < text.Length && (uint)(text[count] - '0') <= 9)
            count++;
        return count;
    }
}
