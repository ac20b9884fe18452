namespace ClaimCheck.Service.ProducerBatches;

/// <summary>A valid request: for a dataset that the operator has defined, or with a definition of its own.</summary>
internal sealed record ValidProducerBatch(
    DefinedDataset? Defined,
    FrozenDataset? Own,
    ExportTerms Terms,
    IReadOnlyList<UploadRequestFile> Files);

/// <summary>Reads the body of <c>POST /v1/batches</c>; collects what is wrong with each field.</summary>
internal static partial class ProducerBatchReader
{
    private const int MostFiles = 1000;
    private const int MostColumns = 1600; // of a table in Postgres
    private const long LargestFile = 5L << 40; // an object at S3
    private static readonly TimeSpan UsualLink = TimeSpan.FromHours(1);
    private static readonly TimeSpan UsualRetention = TimeSpan.FromDays(7);

    public static (ValidProducerBatch? Upload, IReadOnlyDictionary<string, string[]> Errors) Read(
        JsonElement body, DefinitionSet<DefinedDataset> datasets, long mostBytes)
    {
        var fields = new FieldReader(body);
        var name = fields.Text("dataset", required: true);
        var defined = name is null ? null : datasets.Find(name);
        var own = ReadOwn(fields, name, defined);
        var format = fields.OneOf("format", "csv", "ndjson") ?? "csv";
        var compression = fields.OneOf("compression", "gzip", "none") ?? "gzip";
        var maxFileBytes = fields.Whole("maxFileBytes", 64 << 10, 5L << 30) ?? 256 << 20;
        var (shortest, known) = (TimeSpan.FromSeconds(1), defined?.Definition);
        var link = fields.Duration("linkLifetime", shortest, LinkLifetime.Longest) ?? known?.LinkLifetime ?? UsualLink;
        var retention = fields.Duration("retention", shortest, DefinitionReader.LongestRetention) ?? known?.Retention
            ?? UsualRetention;
        var files = ReadFiles(fields, mostBytes);
        fields.RefuseOthers();
        return fields.Errors.Count > 0
            ? (null, fields.Errors)
            : (new(defined, own, new(JsonElement.Parse("{}"), format, compression, maxFileBytes, link, retention), files),
                fields.Errors);
    }

    private static FrozenDataset? ReadOwn(FieldReader fields, string? name, DefinedDataset? defined)
    {
        var key = fields.Text("key", required: false);
        var version = fields.Whole("schemaVersion", 1, int.MaxValue);
        var given = fields.Take("columns");
        if (defined is not null)
        {
            foreach (var (field, isGiven) in ((string, bool)[])[("columns", given is not null), ("key", key is not null),
                ("schemaVersion", version is not null)])
            {
                if (isGiven)
                    fields.Fail(field, "The dataset's own definition says what it is.");
            }

            return null;
        }

        if (name is not null && !DatasetName().IsMatch(name))
            fields.Fail("dataset", "Must be lower-case letters, digits, '-' and '_', a letter or digit first, 63 at most.");
        if (given is null)
            fields.Fail("columns", "Must be given: the dataset is unknown, so its columns are not known either.");
        var columns = given is { } list ? ReadColumns(fields, list) : null;
        if (columns is not null && !columns.Exists(column => column.Name == key))
            fields.Fail("key", "Must be one of the columns.");
        return name is null || columns is null || key is null ? null : new()
        {
            Name = name,
            Origin = RecordOrigin.Producer,
            Source = "",
            Sql = "",
            Parameters = new Dictionary<string, string>(StringComparer.Ordinal),
            Key = key,
            SchemaVersion = (int)(version ?? 1),
            Columns = columns,
        };
    }

    private static List<Column>? ReadColumns(FieldReader fields, JsonElement list)
    {
        const string rule = "Must be an array of objects with name, type and perhaps nullable, whose names differ.";
        var columns = new List<Column>();
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > MostColumns)
            return Fail();
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object
                || item.EnumerateObject().Any(property => property.Name is not ("name" or "type" or "nullable"))
                || TextOf(item, "name") is not { Length: > 0 and <= 200 } name
                || TextOf(item, "type") is not { Length: > 0 and <= 200 } type
                || columns.Exists(column => column.Name == name))
            {
                return Fail();
            }

            var isNullable = !item.TryGetProperty("nullable", out var nullable) || nullable.ValueKind == JsonValueKind.True;
            if (!isNullable && nullable.ValueKind != JsonValueKind.False)
                return Fail();
            columns.Add(new(name, type, isNullable));
        }

        return columns;

        List<Column>? Fail()
        {
            fields.Fail("columns", rule);
            return null;
        }
    }

    private static List<UploadRequestFile> ReadFiles(FieldReader fields, long mostBytes)
    {
        var files = new List<UploadRequestFile>();
        if (fields.Take("files") is not { ValueKind: JsonValueKind.Array } list || list.GetArrayLength() is 0 or > MostFiles)
        {
            fields.Fail("files", $"Must be an array of 1 to {MostFiles} files.");
            return files;
        }

        foreach (var (item, at) in list.EnumerateArray().Select((item, at) => (item, at)))
        {
            if (item.ValueKind != JsonValueKind.Object)
            {
                fields.Fail($"files[{at}]", "Must be an object with name, bytes, sha256 and records.");
                continue;
            }

            var file = new FieldReader(item);
            var (name, digest) = (file.Text("name", required: true), file.Text("sha256", required: true));
            if (name is not null && !FileName().IsMatch(name))
                file.Fail("name", "Must be letters, digits, dots, dashes and underscores, a letter or digit first, 100 at most.");
            else if (name is not null && files.Exists(other => other.Name == name))
                file.Fail("name", "Is that of another file too.");
            if (digest is not null && (digest.Length != 64 || !digest.All(char.IsAsciiHexDigit)))
                file.Fail("sha256", "Must be 64 hex digits.");
            var (bytes, records) = (Required("bytes", 1, LargestFile), Required("records", 0, long.MaxValue));
            file.RefuseOthers();
            foreach (var (field, messages) in file.Errors)
                fields.Fail($"files[{at}].{field}", messages);
            files.Add(new(name ?? "", bytes, digest?.ToLowerInvariant() ?? "", records));

            long Required(string field, long least, long most)
            {
                if (file.Whole(field, least, most) is { } value)
                    return value;
                if (!file.Errors.ContainsKey(field))
                    file.Fail(field, "Must be given.");
                return 0;
            }
        }

        if (files.Sum(file => (decimal)file.Bytes) > mostBytes)
            fields.Fail("files", $"Must have {mostBytes} bytes at most in all.");
        return files;
    }

    private static string? TextOf(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
        && !value.GetString()!.Contains('\0', StringComparison.Ordinal)
            ? value.GetString()
            : null;

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_-]{0,62}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DatasetName();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex FileName();
}
