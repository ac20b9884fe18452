namespace ClaimCheck.Records.Blocks;

/// <summary>One JSON object per line, with the columns in order.</summary>
internal sealed class JsonRows(IReadOnlyList<Column> columns, RowErrors errors) : Rows(columns, errors)
{
    private readonly byte[][] names = [.. columns.Select(column => Encoding.UTF8.GetBytes(column.Name))];
    private readonly bool[] areJson = [.. columns.Select(column => PostgresType.Of(column.Type).Kind == TypeKind.Json)];
    private JsonTokenType[] kinds = new JsonTokenType[columns.Count];
    private bool[] escaped = new bool[columns.Count];

    public override ReadOnlySpan<byte> Text(int slot)
    {
        var raw = Json(slot);
        if (IsNull(slot))
            return default;
        // A string in a json column keeps its quotes, as in the database and in csv.
        if (kinds[slot] != JsonTokenType.String || areJson[slot % Columns.Count])
            return raw;
        return escaped[slot] ? Unescape(raw, slot) : raw[1..^1];
    }

    public override ReadOnlySpan<byte> Json(int slot) =>
        IsNull(slot) ? "null"u8 : Buffer.AsSpan(Starts[slot], Lengths[slot]);

    protected override void Grow()
    {
        base.Grow();
        (kinds, escaped) = (Larger(kinds), Larger(escaped));
    }

    protected override void Find()
    {
        var line = Buffer.AsSpan(Position, End - Position);
        var length = line.IndexOf((byte)'\n');
        if (length < 0)
            throw Broken("it has no end");
        try
        {
            FindFields(line[..length]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            if (JsonDepth.IsExceeded(line[..length]))
                throw Unreadable($"A line, {Where(Origin)}, {JsonDepth.Rule}.");
            // Or a name contains half a surrogate pair. The parser's own message may quote the record: it is left out.
            throw Broken("it is not a JSON object");
        }
        Position += length + 1;
    }

    private void FindFields(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line, JsonDepth.Reader);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw Broken("it is not a JSON object");
        for (var column = 0; column < names.Length; column++)
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals(names[column]))
                throw Broken("it does not have the manifest's columns, in order");
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            var slot = Origin + column;
            kinds[slot] = reader.TokenType;
            escaped[slot] = reader.ValueIsEscaped;
            reader.Skip();
            Starts[slot] = Position + start;
            Lengths[slot] = kinds[slot] == JsonTokenType.Null ? -1 : (int)reader.BytesConsumed - start;
        }
        if (!reader.Read() || reader.TokenType != JsonTokenType.EndObject)
            throw Broken("it has more than the manifest's columns");
        while (reader.Read())
        {
            // Throws where anything but white space follows.
        }
    }

    private ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> raw, int slot)
    {
        var reader = new Utf8JsonReader(raw);
        reader.Read();
        var text = new byte[raw.Length];
        try
        {
            return text.AsSpan(0, reader.CopyString(text));
        }
        catch (InvalidOperationException)
        {
            throw Unreadable($"Column {Columns[slot % Columns.Count].Name} is not valid text in {Where(slot)}: it has a lone "
                + "surrogate. Read it as JsonElement.");
        }
    }
}
