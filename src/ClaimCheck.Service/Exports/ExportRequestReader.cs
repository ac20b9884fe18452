using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Datasets;

namespace ClaimCheck.Service.Exports;

/// <summary>A valid request, with the dataset's defaults filled in.</summary>
internal sealed record ValidRequest(
    Dataset Dataset,
    JsonElement Criteria,
    string Format,
    string Compression,
    long MaxFileBytes,
    TimeSpan LinkLifetime,
    TimeSpan Retention);

/// <summary>Reads the body of <c>POST /v1/exports</c>; collects what is wrong with each field.</summary>
internal static class ExportRequestReader
{
    private const long SmallestFile = 64 << 10;
    private const long LargestFile = 5L << 30;
    private const long UsualFile = 256 << 20;
    private static readonly TimeSpan LongestLink = TimeSpan.FromDays(7); // SigV4's limit
    private static readonly TimeSpan LongestRetention = TimeSpan.FromDays(3650);

    /// <returns>The request, or the errors by field.</returns>
    public static (ValidRequest? Request, IReadOnlyDictionary<string, string[]> Errors) Read(JsonElement body, DatasetCatalog datasets)
    {
        var fields = new FieldReader(body);
        var name = fields.Text("dataset", required: true);
        var dataset = name is null ? null : datasets.Find(name);
        if (name is not null && dataset is null)
            fields.Fail("dataset", "There is no dataset by that name; GET /v1/datasets lists them.");
        var format = fields.OneOf("format", "csv", "ndjson") ?? "csv";
        var compression = fields.OneOf("compression", "gzip", "none") ?? "gzip";
        var maxFileBytes = fields.Whole("maxFileBytes", SmallestFile, LargestFile) ?? UsualFile;
        var linkLifetime = fields.Duration("linkLifetime", TimeSpan.FromSeconds(1), LongestLink) ?? dataset?.LinkLifetime;
        var retention = fields.Duration("retention", TimeSpan.FromSeconds(1), LongestRetention) ?? dataset?.Retention;
        var given = fields.Take("criteria");
        fields.RefuseOthers();

        var criteria = default(JsonElement);
        if (dataset is not null)
        {
            var bound = CriteriaBinder.Bind(dataset, given);
            criteria = bound.Canonical;
            foreach (var (field, messages) in bound.Errors)
                fields.Fail(field, messages);
        }

        return dataset is null || fields.Errors.Count > 0
            ? (null, fields.Errors)
            : (new(dataset, criteria, format, compression, maxFileBytes, linkLifetime!.Value, retention!.Value), fields.Errors);
    }

    private sealed class FieldReader(JsonElement body)
    {
        private readonly HashSet<string> known = new(StringComparer.Ordinal);
        private readonly Dictionary<string, string[]> errors = new(StringComparer.Ordinal);

        public IReadOnlyDictionary<string, string[]> Errors => errors;

        public void Fail(string field, params string[] messages) => errors[field] = [.. errors.GetValueOrDefault(field, []), .. messages];

        /// <summary>The field's value; null where it is left out or null.</summary>
        public JsonElement? Take(string field)
        {
            known.Add(field);
            return body.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
        }

        public string? Text(string field, bool required)
        {
            var value = Take(field);
            if (value is { ValueKind: JsonValueKind.String } text)
                return text.GetString();
            if (value is not null)
                Fail(field, "Must be text.");
            else if (required)
                Fail(field, "Must be given.");
            return null;
        }

        public string? OneOf(string field, params string[] choices)
        {
            var text = Text(field, required: false);
            if (text is null || choices.Contains(text, StringComparer.Ordinal))
                return text;
            Fail(field, $"Must be one of {string.Join(", ", choices)}.");
            return null;
        }

        public long? Whole(string field, long least, long most)
        {
            if (Take(field) is not { } value)
                return null;
            if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least && number <= most)
                return number;
            Fail(field, $"Must be a whole number from {least} to {most}.");
            return null;
        }

        public TimeSpan? Duration(string field, TimeSpan least, TimeSpan most)
        {
            if (Take(field) is not { } value)
                return null;
            if (value.ValueKind == JsonValueKind.String && IsoDuration.TryParse(value.GetString(), out var duration)
                && duration >= least && duration <= most)
            {
                return duration;
            }

            Fail(field, $"Must be an ISO 8601 duration without years and months, from {IsoDuration.Format(least)} to {IsoDuration.Format(most)}.");
            return null;
        }

        public void RefuseOthers()
        {
            foreach (var property in body.EnumerateObject().Where(property => !known.Contains(property.Name)))
                Fail(property.Name, "Is not a field of this call.");
        }
    }
}
