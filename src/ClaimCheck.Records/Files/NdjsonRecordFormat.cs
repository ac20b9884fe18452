namespace ClaimCheck.Records.Files;

/// <summary>One JSON object per line, without duplicate field names; blank lines are ignored.</summary>
internal class NdjsonRecordFormat : RecordFormat
{
    private readonly List<string> names = [];
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);
    private readonly List<JsonMember> members = [];
    private ReadOnlyMemory<byte> taken; // nothing where the line has none

    public override int FindEnd(ReadOnlySpan<byte> next) => next.IndexOf((byte)'\n');

    public override bool IsBlank(ReadOnlySpan<byte> record) => record.Trim(" \t\r"u8).IsEmpty;

    public override RecordFault? Take(ReadOnlyMemory<byte> record)
    {
        taken = default;
        members.Clear();
        try
        {
            var json = RecordOf(record);
            var isObject = JsonMembers.TryRead(json.Span, JsonDepth.Reader, members);
            if (isObject && NamesTwice())
                return new(RecordCodes.MalformedJson, "The line is a JSON object that names a field twice.");
            taken = json;
            return isObject ? null : new(RecordCodes.NotAnObject, "The line is not a JSON object.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // or a name is half of a surrogate pair
        {
            return JsonDepth.IsExceeded(record.Span)
                ? new(RecordCodes.NestedTooDeep, $"The record {JsonDepth.Rule}.")
                : new(RecordCodes.MalformedJson, "The line is not one JSON value.");
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
        foreach (var member in members)
        {
            if (member.Name == names[field])
                return ValueOf(member);
        }

        return new(ValueKind.Null, default);
    }

    public override bool TryWriteFields(Utf8JsonWriter json)
    {
        foreach (var member in members)
        {
            json.WritePropertyName(member.Name);
            json.WriteRawValue(member.In(taken.Span), skipInputValidation: true);
        }

        return true;
    }

    public override void WriteSource(Utf8JsonWriter json, ReadOnlyMemory<byte> record)
    {
        Take(record);
        if (taken.IsEmpty)
            json.WriteStringValue(record.Span);
        else
            json.WriteRawValue(taken.Span, skipInputValidation: true);
    }

    public override RecordFormat Again() => new NdjsonRecordFormat();

    /// <summary>The record in a line.</summary>
    /// <exception cref="JsonException">There is none.</exception>
    protected virtual ReadOnlyMemory<byte> RecordOf(ReadOnlyMemory<byte> line) => line;

    private SourceValue ValueOf(JsonMember member)
    {
        var raw = member.In(taken.Span);
        return member.Kind switch
        {
            JsonTokenType.Null => new(ValueKind.Null, default),
            JsonTokenType.String => new(ValueKind.String, raw.Contains((byte)'\\') ? Unescape(member) : raw[1..^1], raw),
            JsonTokenType.StartObject or JsonTokenType.StartArray => new(ValueKind.Json, raw),
            _ => new(ValueKind.Literal, raw),
        };
    }

    // Its own fields: within a value of json a name may occur twice.
    private bool NamesTwice()
    {
        seen.Clear();
        return members.Exists(member => !seen.Add(member.Name));
    }

    // Half a surrogate pair has no UTF-8: these bytes are not text either, and the field's type refuses them.
    private byte[] Unescape(JsonMember member)
    {
        try
        {
            return Encoding.UTF8.GetBytes(member.TextIn(taken.Span));
        }
        catch (InvalidOperationException)
        {
            return [0xFF];
        }
    }
}
