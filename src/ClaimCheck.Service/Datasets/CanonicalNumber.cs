using System.Numerics;

namespace ClaimCheck.Service.Datasets;

/// <summary>Numbers as plain digits: 1.50 and 15e-1 are 1.5, -0 is 0, as jsonb writes them.</summary>
internal static class CanonicalNumber
{
    private const int MostDigits = 1000;

    /// <exception cref="FormatException">The value does not fit the type.</exception>
    public static string Of(string type, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number)
            throw new FormatException("must be a number");
        var plain = Plain(value.GetRawText());
        return type switch
        {
            "smallint" => Integer(plain, short.MinValue, short.MaxValue),
            "integer" => Integer(plain, int.MinValue, int.MaxValue),
            "bigint" => Integer(plain, long.MinValue, long.MaxValue),
            "real" when float.Parse(plain, CultureInfo.InvariantCulture) is var single && float.IsFinite(single) =>
                Floating(type, plain, single),
            "double precision" when double.Parse(plain, CultureInfo.InvariantCulture) is var number && double.IsFinite(number) =>
                Floating(type, plain, number),
            "numeric" => plain,
            _ => throw new FormatException($"is out of range of {type}"),
        };
    }

    /// <summary>A JSON number's digits without an exponent, a leading or a trailing zero.</summary>
    /// <exception cref="FormatException">It has too many digits.</exception>
    public static string Plain(string number)
    {
        var tooLong = new FormatException($"must be a number of at most {MostDigits} digits");
        var isNegative = number.StartsWith('-');
        var e = number.AsSpan().IndexOfAny('e', 'E');
        var mantissa = number[(isNegative ? 1 : 0)..(e < 0 ? number.Length : e)];
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        BigInteger exponent =
            e < 0 ? 0 : BigInteger.Parse(Shortened(number.AsSpan(e + 1), tooLong), CultureInfo.InvariantCulture);

        var significant = digits.TrimStart('0');
        if (significant.Length == 0)
            return "0";
        // 0.digits * 10^scale, without zeros at either end.
        var scale = exponent + (point < 0 ? mantissa.Length : point) - (digits.Length - significant.Length);
        significant = significant.TrimEnd('0');
        if (significant.Length > MostDigits || scale > MostDigits || scale < -MostDigits)
            throw tooLong;

        var whole = (int)scale;
        var plain = whole <= 0
            ? "0." + new string('0', -whole) + significant
            : whole >= significant.Length
                ? significant.PadRight(whole, '0')
                : significant[..whole] + "." + significant[whole..];
        return isNegative ? "-" + plain : plain;
    }

    // Written as the type writes it, with as many digits as were given, the number must be the same again.
    private static string Floating(string type, string plain, IFormattable number)
    {
        var digits = string.Concat(plain.Where(char.IsAsciiDigit)).Trim('0').Length;
        return Plain(number.ToString($"E{Math.Max(digits, 1) - 1}", CultureInfo.InvariantCulture)) == plain
            ? Plain(number.ToString("R", CultureInfo.InvariantCulture))
            : throw new FormatException($"must be a number that {type} holds with all its digits");
    }

    private static string Integer(string plain, long least, long most) =>
        long.TryParse(plain, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least
        && value <= most
            ? plain
            : throw new FormatException($"must be an integer from {least} to {most}");

    // An exponent of a million digits is not worth reading.
    private static ReadOnlySpan<char> Shortened(ReadOnlySpan<char> exponent, FormatException tooLong) =>
        exponent.Length <= 20 ? exponent : throw tooLong;
}
