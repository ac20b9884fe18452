namespace ClaimCheck.Import.Sending;

/// <summary>
/// Reads the outcome of each record. An answer that has a record twice, or one that was not sent, can't be trusted
/// in any of its parts: it may count from one, or belong to another call.
/// </summary>
internal static class Answers
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <returns>An outcome for each record, or null: the answer is malformed.</returns>
    public static IReadOnlyList<RecordOutcome>? ReadItems(byte[]? body, int count)
    {
        try
        {
            using var document = JsonDocument.Parse(body ?? [], Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("items", out var items)
                && items.ValueKind == JsonValueKind.Array
                    ? Collect(items.EnumerateArray(), count, RecordOutcome.Failed(
                        isTransient: true, ImportCodes.NotAnswered, "The endpoint's answer does not contain this record."))
                    : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The same, one outcome per line.</summary>
    /// <param name="body">NDJSON.</param>
    /// <param name="count">Records that were sent.</param>
    /// <param name="missing">The outcome of records that are missing in it.</param>
    public static IReadOnlyList<RecordOutcome>? ReadLines(byte[]? body, int count, RecordOutcome missing)
    {
        if (body is null)
            return null;
        var documents = new List<JsonDocument>();
        try
        {
            for (ReadOnlyMemory<byte> rest = body; !rest.IsEmpty;)
            {
                var end = rest.Span.IndexOf((byte)'\n');
                var line = end < 0 ? rest : rest[..end];
                rest = end < 0 ? default : rest[(end + 1)..];
                if (!line.Span.Trim(" \t\r"u8).IsEmpty)
                    documents.Add(JsonDocument.Parse(line, Strict));
            }
            return Collect(documents.Select(document => document.RootElement), count, missing);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
        finally
        {
            documents.ForEach(document => document.Dispose());
        }
    }

    private static RecordOutcome[]? Collect(IEnumerable<JsonElement> items, int count, RecordOutcome missing)
    {
        var outcomes = new RecordOutcome?[count];
        foreach (var item in items)
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("index", out var place)
                || place.ValueKind != JsonValueKind.Number
                || !place.TryGetInt32(out var index) || index < 0 || index >= count || outcomes[index] is not null)
                return null;
            outcomes[index] = OutcomeOf(item);
        }
        return [.. outcomes.Select(outcome => outcome ?? missing)];
    }

    private static RecordOutcome OutcomeOf(JsonElement item)
    {
        var (code, message) = (Text(item, "code"), Text(item, "message"));
        if (item.TryGetProperty("status", out var status))
        {
            if (status.ValueKind == JsonValueKind.Number && status.TryGetInt32(out var number) && number is >= 200 and < 600)
            {
                return number < 300
                    ? RecordOutcome.Succeeded
                    : RecordOutcome.Failed(number is 408 or 425 or 429 or >= 500, code ?? $"http_{number}", message);
            }
            if (status.ValueKind == JsonValueKind.String && status.ValueEquals("succeeded"u8))
                return RecordOutcome.Succeeded;
            if (status.ValueKind == JsonValueKind.String && status.ValueEquals("failed"u8))
                return RecordOutcome.Failed(Text(item, "class") == "transient", code ?? "failed", message);
        }
        return RecordOutcome.Failed(
            isTransient: true, ImportCodes.MalformedAnswer, "The endpoint gave this record an unknown status.");
    }

    private static string? Text(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
