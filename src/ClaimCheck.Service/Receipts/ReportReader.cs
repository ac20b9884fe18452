namespace ClaimCheck.Service.Receipts;

/// <summary>Reads the bodies of receipts, retries and redeliveries; collects what is wrong with each field.</summary>
internal static class ReportReader
{
    private const int LongestCheckpoint = 1024;

    /// <returns>The consumer's report, or the errors by field.</returns>
    public static (ReceiptReport? Report, IReadOnlyDictionary<string, string[]> Errors) ReadReport(JsonElement body)
    {
        var fields = new FieldReader(body);
        var state = Text(fields, "state", isRequired: true, longest: 100);
        if (state is not null && !ReceiptState.All.Contains(state, StringComparer.Ordinal))
            fields.Fail("state", $"Must be one of {string.Join(", ", ReceiptState.All)}.");
        var report = new ReceiptReport
        {
            State = state ?? "",
            Succeeded = Count(fields, "succeeded"),
            Transient = Count(fields, "transient"),
            Terminal = Count(fields, "terminal"),
            Checkpoint = Text(fields, "checkpoint", isRequired: false, LongestCheckpoint),
        };
        fields.RefuseOthers();
        return (fields.Errors.Count == 0 ? report : null, fields.Errors);
    }

    /// <returns>The consumer it is for, or the errors by field.</returns>
    public static (string? Consumer, IReadOnlyDictionary<string, string[]> Errors) ReadConsumer(JsonElement body)
    {
        var fields = new FieldReader(body);
        var consumer = Text(fields, "consumer", isRequired: true, longest: 1024);
        if (consumer is not null && !Caller.IsConsumer(consumer))
            fields.Fail("consumer", "Must be a consumer's name: up to 64 letters, digits, dots, dashes and underscores.");
        fields.RefuseOthers();
        return (fields.Errors.Count == 0 ? consumer : null, fields.Errors);
    }

    private static string? Text(FieldReader fields, string field, bool isRequired, int longest)
    {
        var value = fields.Take(field);
        if (value is { ValueKind: JsonValueKind.String } text && text.GetString() is { } read && read.Length <= longest
            && !read.Contains('\0', StringComparison.Ordinal))
            return read;
        if (value is not null)
            fields.Fail(field, $"Must be text of at most {longest} characters, without NUL.");
        else if (isRequired)
            fields.Fail(field, "Must be given.");
        return null;
    }

    private static long Count(FieldReader fields, string field)
    {
        if (fields.Take(field) is not { } value)
            return 0;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= 0)
            return number;
        fields.Fail(field, "Must be a whole number, 0 or more.");
        return 0;
    }
}
