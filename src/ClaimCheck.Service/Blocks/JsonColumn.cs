using System.Runtime.Intrinsics;
using System.Text.Encodings.Web;

namespace ClaimCheck.Service.Blocks;

/// <summary>A column of records in JSON.</summary>
internal sealed class JsonColumn
{
    private readonly byte[] padded;
    private readonly int length;

    public JsonColumn(ResultColumn column, bool isFirst)
    {
        (Name, Type, Kind) = (column.Name, column.Value, JsonKinds.Of(column.Value));
        var prefix = Encoding.UTF8.GetBytes(
            $"{(isFirst ? '{' : ',')}\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(column.Name)}\":");
        length = prefix.Length;
        padded = new byte[length + Vector256<byte>.Count];
        prefix.CopyTo(padded, 0);
    }

    public string Name { get; }

    public ResultType Type { get; }

    public JsonKind Kind { get; }

    /// <summary>What stands before its value.</summary>
    public ReadOnlySpan<byte> Prefix => padded.AsSpan(0, length);

    /// <summary>The same with a vector's length behind it, for <see cref="ShortRecords"/>.</summary>
    public ReadOnlySpan<byte> PaddedPrefix => padded;
}
