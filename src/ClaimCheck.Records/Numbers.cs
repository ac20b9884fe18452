using System.Buffers.Text;
using System.Globalization;
using System.Numerics;

namespace ClaimCheck.Records;

/// <summary>
/// Parses numbers exactly, or not at all: .NET's own parsers round to what a type can hold. A floating-point number is
/// accepted where it is the same again when written with as many digits; 0.1 is, 20 digits of it are not.
/// </summary>
internal static class Numbers
{
    private static readonly SearchValues<byte> Decimals = SearchValues.Create("+-.0123456789eE"u8);

    private const int DecimalDigits = 28;

    // Enough for every digit that a double has.
    private const int MostDigits = 1100;

    /// <exception cref="FormatException">The text is not such a number.</exception>
    public static T Integer<T>(ReadOnlySpan<byte> text)
        where T : IBinaryInteger<T> =>
        EndsInDigit(text) && T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new FormatException();

    /// <exception cref="FormatException">The text is not a number, or has more digits than a decimal holds.</exception>
    public static decimal Decimal(ReadOnlySpan<byte> text)
    {
        if (text.Length <= DecimalDigits && Utf8Parser.TryParse(text, out decimal simple, out var used) && used == text.Length
            && !text.ContainsAny("eE"u8))
            return simple;
        Span<byte> written = stackalloc byte[64];
        return EndsInDigit(text)
            && decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
                CultureInfo.InvariantCulture, out var value)
            && value.TryFormat(written, out var length, default, CultureInfo.InvariantCulture)
            && AreOne(text, written[..length]) ? value : throw new FormatException();
    }

    /// <summary>With exponents, NaN and infinities.</summary>
    /// <exception cref="FormatException">The text is not such a number, or has more digits than the type holds.</exception>
    public static T Floating<T>(ReadOnlySpan<byte> text)
        where T : IBinaryFloatingPointIeee754<T>
    {
        if (!EndsInDigit(text) && NotFinite(text) is { } name)
            return name[0] == 'N' ? T.NaN : name[0] == '-' ? T.NegativeInfinity : T.PositiveInfinity;
        if (!EndsInDigit(text)
            || !T.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
                CultureInfo.InvariantCulture, out var value)
            || !T.IsFinite(value))
        {
            throw new FormatException();
        }

        // So few digits are safe in a double, and cover nearly all values.
        return (typeof(T) == typeof(double) && text.Length <= 15 && !text.ContainsAny("eE"u8)) || Survives(value, text)
            ? value
            : throw new FormatException();
    }

    /// <summary>
    /// Postgres' name for a value that JSON numbers can't express, from the names that Go (+Inf) and Python (inf) use; or null.
    /// </summary>
    public static string? NotFinite(ReadOnlySpan<byte> text)
    {
        if (text.Length > 9)
            return null;
        Span<byte> lower = stackalloc byte[9];
        if (Ascii.ToLower(text, lower, out var length) != OperationStatus.Done)
            return null;
        lower = lower[..length];
        if (lower.SequenceEqual("nan"u8))
            return "NaN";
        var size = lower is [(byte)'+' or (byte)'-', ..] ? lower[1..] : lower;
        if (!size.SequenceEqual("inf"u8) && !size.SequenceEqual("infinity"u8))
            return null;
        return lower[0] == (byte)'-' ? "-Infinity" : "Infinity";
    }

    /// <summary>
    /// The digits of a number that is whole, though written with a fraction or an exponent (1.0, 1e3); null for all others.
    /// </summary>
    public static string? Whole(ReadOnlySpan<byte> text)
    {
        if (text.Length > DecimalDigits || !text.ContainsAny(".eE"u8))
            return null;
        try
        {
            return Decimal(text) is var number && number == decimal.Truncate(number)
                ? decimal.Truncate(number).ToString(CultureInfo.InvariantCulture)
                : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Checks a value for a floating-point column: the server would silently round it.</summary>
    /// <exception cref="FormatException">It has more digits than the type holds; the text is the rule.</exception>
    public static void CheckDigits(PostgresType type, string text)
    {
        if (type.Kind != TypeKind.Floating || text is not [.., >= '0' and <= '9'] || text.AsSpan().ContainsAny("xX_ "))
            return;
        try
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            if (type.Name is "real" or "float4")
                Floating<float>(utf8);
            else
                Floating<double>(utf8);
        }
        catch (FormatException e)
        {
            throw new FormatException($"must be a number that {type.Name} holds with all its digits", e);
        }
    }

    /// <summary>One text for all equal numbers; null for what is not finite, or not a number.</summary>
    public static string? Canonical(ReadOnlySpan<byte> text)
    {
        if (!EndsInDigit(text) || text.ContainsAnyExcept(Decimals))
            return null;
        var digits = Digits.Of(text);
        return digits.Count == 0 ? "0" : $"{(digits.IsNegative ? "-" : "")}{digits.ToString()}e{digits.Exponent}";
    }

    private static bool Survives<T>(T value, ReadOnlySpan<byte> text)
        where T : IBinaryFloatingPointIeee754<T>
    {
        var digits = Digits.Of(text).Count;
        if (digits > MostDigits)
            return false;
        Span<byte> written = new byte[digits + 32];
        return value.TryFormat(written, out var length, $"E{Math.Max(digits, 1) - 1}", CultureInfo.InvariantCulture)
            && AreOne(text, written[..length]);
    }

    // .NET lets NUL characters follow a number.
    private static bool EndsInDigit(ReadOnlySpan<byte> text) => text is [.., >= (byte)'0' and <= (byte)'9'];

    private static bool AreOne(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        var left = Digits.Of(one);
        var right = Digits.Of(other);
        return left.Count == right.Count && (left.Count == 0
            || (left.IsNegative == right.IsNegative && left.Exponent == right.Exponent && left.HasSameAs(right)));
    }

    /// <summary>The digits of a number that was parsed, from the first to the last that is not zero.</summary>
    private readonly ref struct Digits
    {
        private readonly ReadOnlySpan<byte> text; // perhaps with a decimal point

        private Digits(ReadOnlySpan<byte> text, int count, long exponent, bool isNegative)
        {
            this.text = text;
            (Count, Exponent, IsNegative) = (count, exponent, isNegative);
        }

        public int Count { get; }

        /// <summary>0.digits times ten to the power of this.</summary>
        public long Exponent { get; }

        public bool IsNegative { get; }

        public static Digits Of(ReadOnlySpan<byte> number)
        {
            var e = number.IndexOfAny((byte)'e', (byte)'E');
            var power = e < 0
                ? 0
                : long.TryParse(
                    number[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var given) ? given
                : long.MaxValue / 2;
            var isNegative = number is [(byte)'-', ..];
            var mantissa = e < 0 ? number : number[..e];
            mantissa = mantissa.TrimStart("+-"u8);
            var point = mantissa.IndexOf((byte)'.');
            var whole = point < 0 ? mantissa.Length : point;
            var first = mantissa.IndexOfAnyExcept((byte)'0', (byte)'.');
            if (first < 0)
                return default;
            var last = mantissa.LastIndexOfAnyExcept((byte)'0', (byte)'.');
            var digits = mantissa[first..(last + 1)];
            return new(
                digits,
                digits.Length - (digits.Contains((byte)'.') ? 1 : 0),
                power + (first < whole ? whole - first : whole - first + 1),
                isNegative);
        }

        public override string ToString() => Encoding.ASCII.GetString(text).Replace(".", "", StringComparison.Ordinal);

        public bool HasSameAs(Digits other)
        {
            for (var (i, j) = (0, 0); i < text.Length && j < other.text.Length; i++, j++)
            {
                i += text[i] == (byte)'.' ? 1 : 0;
                j += other.text[j] == (byte)'.' ? 1 : 0;
                if (text[i] != other.text[j])
                    return false;
            }

            return true;
        }
    }
}
