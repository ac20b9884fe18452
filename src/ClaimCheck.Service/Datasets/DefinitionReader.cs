namespace ClaimCheck.Service.Datasets;

/// <summary>Reads one definition strictly: a misspelt field must not be taken for a missing one.</summary>
internal static class DefinitionReader
{
    public static readonly TimeSpan LongestRetention = TimeSpan.FromDays(3650);

    /// <exception cref="FormatException">It is not a valid definition; the text is the reason.</exception>
    public static Dataset Read(string name, byte[] json, string? sql)
    {
        var query = sql is null ? null : Statement(sql, "select", "with");
        using var document = Parse(json);
        var fields = new DefinitionFields("", document.RootElement);
        var table = Table(fields);
        if (query is not null && table is not null)
            throw new DefinitionException($"table is given, and {name}.sql is beside it: remove one of them")
            {
                Field = "table",
            };
        query ??= Whole(table) ?? throw new DefinitionException(
            $"{name}.sql is missing: put the dataset's query there, or name its table in the field table");
        var title = fields.Take("title", DefinitionFields.Text) ?? name;
        var definition = new Dataset
        {
            Name = name,
            Title = title,
            Source = fields.Take("source", SourceName) ?? throw fields.Missing("source"),
            Key = fields.Take("key", DefinitionFields.Text) ?? throw fields.Missing("key"),
            TrustsKey = fields.Take("keyUnique", Trusted),
            SchemaVersion = fields.Take("schemaVersion", Version) ?? 1,
            RowSecurity = fields.Take("rowSecurity", DefinitionFields.Flag) ?? false,
            Parameters = fields.Take(
                "parameters", (field, value) => Parameters(field, value, SourceTypes.Canonical, SourceTypes.List)) ?? [],
            LinkLifetime = fields.Take("linkLifetime", UpTo(LinkLifetime.Longest)) ?? TimeSpan.FromHours(1),
            Retention = fields.Take("retention", UpTo(LongestRetention)) ?? TimeSpan.FromDays(7),
            Delivery = fields.Take("delivery", Delivery),
            MaxRecords = fields.Take("maxRecords", Limit),
            MaxBytes = fields.Take("maxBytes", Limit),
            Sql = query,
            Table = table,
        };
        fields.NothingLeft();
        CheckParameters(definition);
        return definition;
    }

    private static TableQuery? Table(DefinitionFields fields)
    {
        var table = fields.Take("table", DefinitionFields.Text);
        var select = fields.Take("select", Columns);
        var where = fields.Take("where", DefinitionFields.Text);
        if (table is null)
            return select is null && where is null
                ? null
                : throw new DefinitionException("select and where are parts of a table: name it in the field table")
                {
                    Field = select is null ? "where" : "select",
                };
        try
        {
            return TableQuery.Of(table, select, where);
        }
        catch (FormatException e)
        {
            throw new DefinitionException(e.Message, e) { Field = e.Message.Split(' ')[0] };
        }
    }

    private static SourceSql? Whole(TableQuery? table)
    {
        try
        {
            return table is null ? null : SourceSql.Parse(table.Sql);
        }
        catch (FormatException e)
        {
            throw new DefinitionException($"where can't be read: {e.Message}", e) { Field = "where" };
        }
    }

    private static IReadOnlyList<string> Columns(string field, JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0
            ? [.. value.EnumerateArray().Select(name => DefinitionFields.Text(field, name)!)]
            : throw new FormatException($"{field} must be a list of columns' names");

    public static JsonDocument Parse(byte[] json)
    {
        try
        {
            // Some editors begin a file with a byte order mark, which JSON does not allow.
            var text = json.AsMemory(json is [0xEF, 0xBB, 0xBF, ..] ? 3 : 0);
            return JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw new DefinitionException($"it is not JSON: {e.Message.TrimEnd('.')}", e) { Line = (int?)e.LineNumber + 1 };
        }
    }

    /// <summary>The statement beside the JSON, one that begins with one of these words.</summary>
    public static SourceSql Statement(string sql, params string[] beginnings)
    {
        try
        {
            return SourceSql.Parse(sql, beginnings);
        }
        catch (FormatException e)
        {
            throw new DefinitionException(e.Message, e) { IsInSql = true };
        }
    }

    public static string? SourceName(string field, JsonElement value) =>
        DefinitionFields.Text(field, value) is { } text && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            ? text
            : throw new FormatException($"{field} must be the name of a connection string, of letters, digits, '-' and '_'");

    private static int? Version(string field, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var version) && version >= 1
            ? version
            : throw new FormatException($"{field} must be an integer from 1 on");

    private static long? Limit(string field, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var limit) && limit >= 1
            ? limit
            : throw new FormatException($"{field} must be a whole number from 1 to {long.MaxValue}, or left out: no limit");

    /// <param name="field">Where they are declared.</param>
    /// <param name="value">The declaration.</param>
    /// <param name="canonical">The canonical name of a type, or null where a parameter can't have the type.</param>
    /// <param name="types">The types that are allowed.</param>
    public static IReadOnlyList<Dataset.Parameter> Parameters(
        string field, JsonElement value, Func<string, string?> canonical, string types)
    {
        var parameters = new List<Dataset.Parameter>();
        foreach (var (name, definition) in DefinitionFields.Object(field, value))
        {
            if (!IsParameterName(name))
                throw new FormatException(
                    $"{field} has the name \"{name}\", but names are letters, digits and '_', no digit first");
            var fields = new DefinitionFields($"{field}.{name}", definition);
            var type = fields.Take("type", Type) ?? throw fields.Missing("type");
            parameters.Add(new Dataset.Parameter(name, type, fields.Take("required", DefinitionFields.Flag) ?? true));
            fields.NothingLeft();
        }

        return parameters;

        string Type(string place, JsonElement given) =>
            DefinitionFields.Text(place, given) is var type && canonical(type!) is { } known
                ? known
                : throw new FormatException($"{place} is \"{type}\", which is not one of {types}");
    }

    private static bool Trusted(string field, JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.ValueEquals("trusted"u8)
            ? true
            : throw new FormatException(
                $"{field} must be \"trusted\", which says that no two records have one key, or left out: then the "
                + "service makes sure of it");

    private static Func<string, JsonElement, TimeSpan?> UpTo(TimeSpan most) =>
        (field, value) => Duration(field, value, TimeSpan.FromSeconds(1), most);

    private static TimeSpan Duration(string field, JsonElement value, TimeSpan least, TimeSpan most)
    {
        var rule = $"{field} must be an ISO 8601 duration from {IsoDuration.Format(least)} to {IsoDuration.Format(most)}";
        return value.ValueKind == JsonValueKind.String && IsoDuration.TryParse(value.GetString(), out var duration)
            && duration >= least && duration <= most
                ? duration
                : throw new FormatException(rule);
    }

    private static DatasetDelivery Delivery(string field, JsonElement value)
    {
        var fields = new DefinitionFields(field, value);
        var delivery = new DatasetDelivery(
            fields.Take("consumers", Consumers) ?? throw fields.Missing("consumers"),
            fields.Take("within", UpTo(LongestRetention)) is { } within ? IsoDuration.Format(within) : null,
            fields.Take("maxTerminalRatio", Ratio));
        fields.NothingLeft();
        return delivery;
    }

    private static IReadOnlyList<string> Consumers(string field, JsonElement value)
    {
        var rule = $"{field} must be a list of different consumers' names";
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
            throw new FormatException(rule);
        var names = value.EnumerateArray().Select(name => DefinitionFields.Text(field, name)!).ToList();
        if (names.FirstOrDefault(name => !Caller.IsConsumer(name)) is { } odd)
            throw new FormatException($"{field} names '{odd}', which no consumer can be called");
        return names.Distinct(StringComparer.Ordinal).Count() == names.Count ? names : throw new FormatException(rule);
    }

    private static double? Ratio(string field, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var ratio) && ratio is >= 0 and <= 1
            ? ratio
            : throw new FormatException($"{field} must be a number from 0 to 1");

    private static bool IsParameterName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private static void CheckParameters(Dataset dataset)
    {
        var declared = dataset.Parameters.Select(parameter => parameter.Name).ToList();
        var used = dataset.Sql.ParameterNames.ToList();
        if (used.Except(declared, StringComparer.Ordinal).FirstOrDefault() is { } undeclared)
            throw new DefinitionException($"the query uses :{undeclared}, which parameters does not declare")
            {
                Field = "parameters",
            };
        if (declared.Except(used, StringComparer.Ordinal).FirstOrDefault() is { } unused)
            throw new DefinitionException($"parameters declares {unused}, which the query does not use") { Field = "parameters" };
    }
}
