namespace ClaimCheck.Service.BulkJobs.Bodies;

/// <summary>Items that are JSON objects: a line of NDJSON, or an element of the inline array.</summary>
internal sealed class JsonItems(Operation operation)
{
    private readonly int keyPlace = operation.KeyPlace;
    private readonly PostgresType[] types = operation.Types;

    /// <summary>Reads one item. What does not fit makes an invalid item, never an exception.</summary>
    public JobItem Read(long index, ReadOnlySpan<byte> json)
    {
        var values = new string?[operation.Parameters.Count];
        try
        {
            var reader = new Utf8JsonReader(json, JsonDepth.Reader);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return Invalid("The item must be a JSON object.");
            var given = 0UL;
            string? fault = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                fault = ReadMember(ref reader, json, values, ref given) ?? fault;
            if (reader.Read())
                return Invalid("The item must be one JSON object and nothing else.");
            return JobItem.Of(index, values, keyPlace, fault ?? Missing(values));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Invalid(JsonDepth.IsExceeded(json) ? $"The item {JsonDepth.Rule}." : "The item is not well-formed JSON.");
        }

        JobItem Invalid(string reason) => JobItem.Of(index, values, keyPlace, reason);
    }

    private string? ReadMember(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, string?[] values, ref ulong given)
    {
        var place = 0;
        while (place < values.Length && !reader.ValueTextEquals(operation.Parameters[place].Name))
            place++;
        reader.Read();
        if (place == values.Length)
        {
            reader.Skip();
            return "A field is not known: the operation has "
                + $"{string.Join(", ", operation.Parameters.Select(parameter => parameter.Name))}.";
        }

        var name = operation.Parameters[place].Name;
        if (place < 64 ? (given & (1UL << place)) != 0 : values[place] is not null)
        {
            reader.Skip();
            return $"{name} is given twice.";
        }

        given |= place < 64 ? 1UL << place : 0;
        if (reader.TokenType == JsonTokenType.Null)
            return null;
        var before = reader;
        try
        {
            Numbers.CheckDigits(types[place], values[place] = PostgresText.OfJson(types[place], ref reader, json));
            return null;
        }
        catch (FormatException e)
        {
            // The value may be half read.
            reader = before;
            reader.Skip();
            return $"{name} {e.Message}.";
        }
    }

    private string? Missing(string?[] values)
    {
        for (var place = 0; place < values.Length; place++)
        {
            if (values[place] is null && operation.Parameters[place].Required)
                return $"{operation.Parameters[place].Name} is required ({operation.Parameters[place].Type}).";
        }

        return null;
    }
}
