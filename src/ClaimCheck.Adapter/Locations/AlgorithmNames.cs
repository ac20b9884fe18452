using System.ComponentModel;

namespace ClaimCheck.Adapter.Locations;

/// <summary>Names of algorithms, as text separated by commas, as in <c>ssh_config</c>, or as an array.</summary>
[TypeConverter(typeof(Converter))]
internal sealed class AlgorithmNames : List<string>
{
    /// <summary><c>+</c>, <c>^</c> or <c>-</c> before the first, or a blank.</summary>
    public char How => this.FirstOrDefault() is { Length: > 0 } first && first.TrimStart()[..1] is "+" or "^" or "-"
        ? this[0].TrimStart()[0]
        : ' ';

    /// <summary>The names only.</summary>
    public IReadOnlyList<string> Plain =>
        [.. string.Join(',', this).Trim().TrimStart('+', '^', '-')
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];

    private sealed class Converter : TypeConverter
    {
        public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string);

        public override object ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) =>
            new AlgorithmNames { (string)value };
    }
}
