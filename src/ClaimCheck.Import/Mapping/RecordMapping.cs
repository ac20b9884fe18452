namespace ClaimCheck.Import.Mapping;

/// <summary>Converts a record into what is sent: renamed, typed, with constants; or tells why it can't.</summary>
internal sealed class RecordMapping
{
    private readonly List<MappedField> fields = [];
    private readonly string? key;
    private readonly RecordFormat format;

    /// <exception cref="ImportException">The file does not have the column.</exception>
    public RecordMapping(MappingOptions options, RecordFormat format)
    {
        this.format = format;
        key = options.Key;
        var missing = new List<string>();
        foreach (var (name, field) in options.Fields)
        {
            if (!FieldType.TryParse(field.Type, out var type))
                throw new ImportException(
                    ImportCodes.InvalidConfiguration, $"mapping.fields.{name}.type is '{field.Type}', which is not a type.");
            var source = field.From is null ? -1 : format.Find(field.From);
            if (field.From is not null && source < 0)
                missing.Add(field.From);
            fields.Add(new(
                JsonEncodedText.Encode(name, RecordJson.Encoder), name, source,
                field.Constant is null ? null : Encoding.UTF8.GetBytes(field.Constant), type,
                field.Required || name == key));
        }
        if (options.Fields.Count == 0 && key is not null && format.Find(key) < 0)
            missing.Add(key);
        if (missing.Count > 0)
            throw new ImportException(
                ImportCodes.MissingColumn,
                $"The file has no column {string.Join(", ", missing.Select(name => $"'{name}'"))}, which the mapping names.");
    }

    /// <summary>Writes the record that the format has read.</summary>
    /// <returns>Null, or why it is invalid; then what was written must not be used.</returns>
    public RecordFault? Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        if (fields.Count == 0)
        {
            if (key is not null && format.Get(format.Find(key)).Kind == ValueKind.Null)
                return Missing(key);
            if (!format.TryWriteFields(json))
                return new(RecordCodes.MalformedJson, "A name has half a surrogate pair.");
        }
        foreach (var field in fields)
        {
            var value = field.Constant is { } constant ? new SourceValue(ValueKind.Text, constant) : format.Get(field.Source);
            if (value.Kind == ValueKind.Null)
            {
                if (field.IsRequired)
                    return Missing(field.Text);
                json.WriteNull(field.Name);
                continue;
            }
            json.WritePropertyName(field.Name);
            if (!field.Type.TryWrite(json, value))
                return new(ImportCodes.WrongType, $"The field '{field.Text}' is not of its type.");
        }
        json.WriteEndObject();
        return null;
    }

    /// <summary>The record's key, as text, from what was written.</summary>
    public string? KeyOf(ReadOnlyMemory<byte> item)
    {
        if (key is null)
            return null;
        try
        {
            return JsonMembers.Find(item.Span, key) switch
            {
                null or { Kind: JsonTokenType.Null } => null,
                { Kind: JsonTokenType.String } text => text.TextIn(item.Span),
                { } value => Encoding.UTF8.GetString(value.In(item.Span)),
            };
        }
        catch (InvalidOperationException)
        {
            return null; // half a surrogate pair, sent on as it came
        }
    }

    private static RecordFault Missing(string field) =>
        new(ImportCodes.RequiredFieldMissing, $"The field '{field}' is required, and has no value.");

    private sealed record MappedField(
        JsonEncodedText Name, string Text, int Source, byte[]? Constant, FieldType Type, bool IsRequired);
}
