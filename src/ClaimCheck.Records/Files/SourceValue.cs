namespace ClaimCheck.Records.Files;

internal enum ValueKind
{
    /// <summary>Absent, empty in CSV without quotes, or null in JSON.</summary>
    Null,

    /// <summary>A value of CSV.</summary>
    Text,

    /// <summary>A string of JSON.</summary>
    String,

    /// <summary>A number or a boolean of JSON, as it is written.</summary>
    Literal,

    /// <summary>An object or an array of JSON, as it is written.</summary>
    Json,
}

/// <summary>One field of a record, as the file has it.</summary>
/// <param name="kind">What it is.</param>
/// <param name="utf8">Its text; of JSON's strings without quotes and escapes.</param>
/// <param name="json">For JSON's strings: as they are written.</param>
internal readonly ref struct SourceValue(ValueKind kind, ReadOnlySpan<byte> utf8, ReadOnlySpan<byte> json = default)
{
    public ValueKind Kind { get; } = kind;

    public ReadOnlySpan<byte> Utf8 { get; } = utf8;

    public ReadOnlySpan<byte> Json { get; } = json;
}
