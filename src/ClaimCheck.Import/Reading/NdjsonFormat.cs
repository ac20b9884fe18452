using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ClaimCheck.Import.Mapping;
using ClaimCheck.Records;

namespace ClaimCheck.Import.Reading;

/// <summary>One JSON object a line, whose fields are named once; blank lines are none.</summary>
internal class NdjsonFormat : RecordFormat, IDisposable
{
    private readonly List<string> names = [];
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);
    private JsonDocument? document;

    /// <summary>The record that was taken.</summary>
    protected JsonElement Taken { get; private set; }

    public override int FindEnd(ReadOnlySpan<byte> next) => next.IndexOf((byte)'\n');

    public override bool IsBlank(ReadOnlySpan<byte> record) => record.Trim(" \t\r"u8).IsEmpty;

    public override Fault? Take(ReadOnlyMemory<byte> record)
    {
        document?.Dispose();
        document = null;
        Taken = default;
        try
        {
            document = JsonDocument.Parse(record, Options);
            var taken = RecordOf(document.RootElement);
            if (taken.ValueKind != JsonValueKind.Object)
                return new(ImportCodes.NotAnObject, "The line is not a JSON object.");
            if (NamesTwice(taken))
                return new(ImportCodes.MalformedJson, "The line is a JSON object that names a field twice.");
            Taken = taken;
            return null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // or a name is half of a surrogate pair
        {
            return JsonDepth.IsExceeded(record.Span, Options.MaxDepth)
                ? new(ImportCodes.NestedTooDeep, $"The record {JsonDepth.Rule}.")
                : new(ImportCodes.MalformedJson, "The line is not one JSON value.");
        }
    }

    // Any field may occur in any line.
    public override int Find(string field)
    {
        if (names.IndexOf(field) is var known and >= 0)
            return known;
        names.Add(field);
        return names.Count - 1;
    }

    public override SourceValue Get(int field)
    {
        if (!Taken.TryGetProperty(names[field], out var value) || value.ValueKind == JsonValueKind.Null)
            return new(ValueKind.Null, default);
        var raw = JsonMarshal.GetRawUtf8Value(value);
        return value.ValueKind switch
        {
            JsonValueKind.String => new(ValueKind.String, raw.Contains((byte)'\\') ? Unescape(value) : raw[1..^1], raw),
            JsonValueKind.Object or JsonValueKind.Array => new(ValueKind.Json, raw),
            _ => new(ValueKind.Literal, raw),
        };
    }

    public override bool TryWriteFields(Utf8JsonWriter json)
    {
        try
        {
            foreach (var property in Taken.EnumerateObject())
            {
                json.WritePropertyName(property.Name);
                json.WriteRawValue(JsonMarshal.GetRawUtf8Value(property.Value), skipInputValidation: true);
            }
            return true;
        }
        catch (InvalidOperationException)
        {
            return false; // half a surrogate pair in a name
        }
    }

    public override void WriteSource(Utf8JsonWriter json, ReadOnlyMemory<byte> record)
    {
        Take(record);
        if (Taken.ValueKind != JsonValueKind.Undefined)
            json.WriteRawValue(JsonMarshal.GetRawUtf8Value(Taken), skipInputValidation: true);
        else
            json.WriteStringValue(record.Span);
    }

    public override RecordFormat Again() => new NdjsonFormat();

    public void Dispose()
    {
        document?.Dispose();
        GC.SuppressFinalize(this);
    }

    protected virtual JsonDocumentOptions Options => JsonDepth.Document;

    protected virtual JsonElement RecordOf(JsonElement line) => line;

    // Its own fields: within a value of json a name may come twice.
    private bool NamesTwice(JsonElement taken)
    {
        seen.Clear();
        foreach (var property in taken.EnumerateObject())
        {
            if (!seen.Add(property.Name))
                return true;
        }

        return false;
    }

    // Half a surrogate pair has no UTF-8: these bytes are no text either, and the field's type refuses them.
    private static byte[] Unescape(JsonElement value)
    {
        try
        {
            return Encoding.UTF8.GetBytes(value.GetString()!);
        }
        catch (InvalidOperationException)
        {
            return [0xFF];
        }
    }
}

/// <summary>A failure bucket, read back: each line holds the record, and names the line that it had.</summary>
internal sealed class BucketFormat : NdjsonFormat
{
    private long? line;

    public override long? Line => line;

    protected override JsonDocumentOptions Options => JsonDepth.Enveloped;

    public override RecordFormat Again() => new BucketFormat();

    protected override JsonElement RecordOf(JsonElement line)
    {
        if (line.ValueKind != JsonValueKind.Object)
            return default;
        this.line = line.TryGetProperty("line", out var number) && number.TryGetInt64(out var value) ? value : null;
        return line.TryGetProperty("record", out var record) ? record : default;
    }
}
