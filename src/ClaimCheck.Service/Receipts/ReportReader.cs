using System.Text.Json;
using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Receipts;

/// <summary>Reads the bodies of receipts, retries and redeliveries; collects what is wrong with each field.</summary>
internal sealed class ReportReader(JsonElement body)
{
    private const int LongestCheckpoint = 1024;
    private readonly HashSet<string> known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> errors = new(StringComparer.Ordinal);

    /// <returns>The consumer's report, or the errors by field.</returns>
    public static (ReceiptReport? Report, IReadOnlyDictionary<string, string[]> Errors) ReadReport(JsonElement body)
    {
        var fields = new ReportReader(body);
        var state = fields.Text("state", isRequired: true, longest: 100);
        if (state is not null && !ReceiptState.All.Contains(state, StringComparer.Ordinal))
            fields.Fail("state", $"Must be one of {string.Join(", ", ReceiptState.All)}.");
        var report = new ReceiptReport
        {
            State = state ?? "",
            Succeeded = fields.Count("succeeded"),
            Transient = fields.Count("transient"),
            Terminal = fields.Count("terminal"),
            Checkpoint = fields.Text("checkpoint", isRequired: false, LongestCheckpoint),
        };
        fields.RefuseOthers();
        return (fields.errors.Count == 0 ? report : null, fields.errors);
    }

    /// <returns>The consumer it is for, or the errors by field.</returns>
    public static (string? Consumer, IReadOnlyDictionary<string, string[]> Errors) ReadConsumer(JsonElement body)
    {
        var fields = new ReportReader(body);
        var consumer = fields.Text("consumer", isRequired: true, longest: 1024);
        if (consumer is not null && !Http.Access.Caller.IsConsumer(consumer))
            fields.Fail("consumer", "Must be a consumer's name: up to 64 letters, digits, dots, dashes and underscores.");
        fields.RefuseOthers();
        return (fields.errors.Count == 0 ? consumer : null, fields.errors);
    }

    private JsonElement? Take(string field)
    {
        known.Add(field);
        return body.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private string? Text(string field, bool isRequired, int longest)
    {
        var value = Take(field);
        if (value is { ValueKind: JsonValueKind.String } text && text.GetString() is { } read && read.Length <= longest && !read.Contains('\0', StringComparison.Ordinal))
            return read;
        if (value is not null)
            Fail(field, $"Must be text of at most {longest} characters, without NUL.");
        else if (isRequired)
            Fail(field, "Must be given.");
        return null;
    }

    private long Count(string field)
    {
        if (Take(field) is not { } value)
            return 0;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= 0)
            return number;
        Fail(field, "Must be a whole number, 0 or more.");
        return 0;
    }

    private void RefuseOthers()
    {
        foreach (var property in body.EnumerateObject().Where(property => !known.Contains(property.Name)))
            Fail(property.Name, NearestName.NotAField(property.Name, known));
    }

    private void Fail(string field, string message) => errors[field] = [.. errors.GetValueOrDefault(field, []), message];
}
