namespace ClaimCheck.Service.Exports;

/// <summary>A valid request, with the dataset's defaults filled in.</summary>
internal sealed record ValidRequest(DefinedDataset Dataset, ExportTerms Terms);

/// <summary>Reads the body of <c>POST /v1/exports</c>; collects what is wrong with each field.</summary>
internal static class ExportRequestReader
{
    private const long SmallestFile = 64 << 10;
    private const long LargestFile = 5L << 30;
    private const long UsualFile = 256 << 20;

    /// <summary>The dataset that a body names, where its definition could never be read: then the other fields can't be
    /// checked.</summary>
    public static DefinedDataset? Unread(JsonElement body, DefinitionSet<DefinedDataset> datasets) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty("dataset", out var name)
        && name.ValueKind == JsonValueKind.String
        && datasets.Find(name.GetString()!) is { Definition: null } unread
            ? unread
            : null;

    /// <returns>The request, or the errors by field.</returns>
    public static (ValidRequest? Request, IReadOnlyDictionary<string, string[]> Errors) Read(
        JsonElement body, DefinitionSet<DefinedDataset> datasets)
    {
        var fields = new FieldReader(body);
        var name = fields.Text("dataset", required: true);
        var defined = name is null ? null : datasets.Find(name);
        var dataset = defined?.Definition;
        if (name is not null && defined is null)
            fields.Fail("dataset", "Unknown dataset; GET /v1/datasets lists all.");
        var format = fields.OneOf("format", "csv", "ndjson") ?? "csv";
        var compression = fields.OneOf("compression", "gzip", "none") ?? "gzip";
        var maxFileBytes = fields.Whole("maxFileBytes", SmallestFile, LargestFile) ?? UsualFile;
        var shortest = TimeSpan.FromSeconds(1);
        var linkLifetime = fields.Duration("linkLifetime", shortest, LinkLifetime.Longest) ?? dataset?.LinkLifetime;
        var retention = fields.Duration("retention", shortest, DefinitionReader.LongestRetention) ?? dataset?.Retention;
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
            : (new(defined!, new(criteria, format, compression, maxFileBytes, linkLifetime!.Value, retention!.Value)),
                fields.Errors);
    }
}
