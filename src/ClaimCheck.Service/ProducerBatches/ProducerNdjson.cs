namespace ClaimCheck.Service.ProducerBatches;

/// <summary>One JSON object per line, with the columns in their order and nothing else, as readers of batches expect.</summary>
internal sealed class ProducerNdjson(
    IReadOnlyList<Column> columns, string key, BlockBuilder blocks, int largestRecord, DistinctKeys? distinct = null)
    : ProducerRecords(blocks, largestRecord, distinct)
{
    private readonly byte[][] names = [.. columns.Select(column => System.Text.Encoding.UTF8.GetBytes(column.Name))];
    private readonly int keyColumn = columns.ToList().FindIndex(column => column.Name == key);
    private readonly bool[] areJson = [.. columns.Select(column => PostgresType.Of(column.Type).Kind == TypeKind.Json)];
    private int searched;

    protected override void Restart() => searched = 0;

    protected override int NextEnd(ReadOnlySpan<byte> bytes, bool isLast)
    {
        var length = bytes[searched..].IndexOf((byte)'\n');
        if (length < 0)
        {
            searched = bytes.Length;
            return -1;
        }

        searched += length + 1;
        return searched;
    }

    protected override void Rebase(int count) => searched -= count;

    protected override bool Check(ReadOnlySpan<byte> record)
    {
        try
        {
            CheckObject(record);
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw JsonDepth.IsExceeded(record)
                ? new JsonTooDeepException(JsonDepth.OfRecords)
                : new FormatException("is not a JSON object", e);
        }
    }

    private void CheckObject(ReadOnlySpan<byte> record)
    {
        var reader = new Utf8JsonReader(record, JsonDepth.Reader);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new FormatException("is not a JSON object");
        for (var column = 0; column < names.Length; column++)
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals(names[column]))
                throw new FormatException("does not have the columns, in their order");
            reader.Read();
            CheckValue(ref reader, record, column);
        }

        if (!reader.Read() || reader.TokenType != JsonTokenType.EndObject)
            throw new FormatException("has more than the columns");
        if (reader.Read())
            throw new FormatException("is more than a JSON object");
    }

    private void CheckValue(ref Utf8JsonReader reader, ReadOnlySpan<byte> record, int column)
    {
        var isKey = column == keyColumn;
        switch (reader.TokenType)
        {
            case JsonTokenType.Null when isKey:
                throw new FormatException("has no key");
            case JsonTokenType.String when reader.ValueIsEscaped && (isKey || !areJson[column]):
                // A lone surrogate, which JSON can escape, is not text that a reader could decode; a json column may contain its
                // escape.
                var text = new byte[reader.ValueSpan.Length];
                var length = reader.CopyString(text);
                if (isKey)
                    SeeKey(text.AsSpan(0, length));
                break;
            case JsonTokenType.String when isKey:
                SeeKey(reader.ValueSpan);
                break;
            default:
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                if (isKey)
                    SeeKey(record[start..(int)reader.BytesConsumed]);
                break;
        }
    }
}
