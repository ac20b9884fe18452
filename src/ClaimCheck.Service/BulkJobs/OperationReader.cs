namespace ClaimCheck.Service.BulkJobs;

/// <summary>Reads one operation's definition, as strictly as a dataset's.</summary>
internal static class OperationReader
{
    private const int MostInChunk = 10_000;
    private const int MostAtOnce = 64;
    private static readonly string[] Beginnings = ["update", "insert", "delete", "merge", "with"];

    /// <exception cref="FormatException">It is not a valid definition; the text is the reason.</exception>
    public static Operation Read(string name, byte[] json, string sql)
    {
        using var document = DefinitionReader.Parse(json);
        var statement = DefinitionReader.Statement(sql, Beginnings);
        var fields = new DefinitionFields("", document.RootElement);
        var operation = new Operation
        {
            Name = name,
            Title = fields.Take("title", DefinitionFields.Text) ?? name,
            Target = fields.Take("target", DefinitionReader.SourceName) ?? throw fields.Missing("target"),
            Form = fields.Take("form", OneOf(Operation.ItemForm, Operation.SetForm)) ?? throw fields.Missing("form"),
            Key = fields.Take("key", DefinitionFields.Text) ?? throw fields.Missing("key"),
            Chunk = fields.Take("chunk", Whole(1, MostInChunk)) ?? 1000,
            Atomicity = fields.Take("atomicity", OneOf(Operation.PerItem, Operation.PerChunk, Operation.PerJob))
                ?? Operation.PerItem,
            Delivery = fields.Take("delivery", OneOf(Operation.ExactlyOnce, Operation.AtLeastOnce)) ?? Operation.ExactlyOnce,
            Concurrency = fields.Take("concurrency", Whole(1, MostAtOnce)) ?? 1,
            Parameters = fields.Take(
                "parameters", (field, value) => DefinitionReader.Parameters(field, value, ItemTypes.Canonical, ItemTypes.List))
                ?? throw fields.Missing("parameters"),
            Sql = statement.Text,
        };
        fields.NothingLeft();
        Check(operation, statement);
        return operation;
    }

    private static Func<string, JsonElement, string?> OneOf(params string[] choices) => (field, value) =>
        DefinitionFields.Text(field, value) is { } text && choices.Contains(text, StringComparer.Ordinal)
            ? text
            : throw new FormatException($"{field} must be one of {string.Join(", ", choices)}");

    private static Func<string, JsonElement, int?> Whole(int least, int most) => (field, value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{field} must be an integer from {least} to {most}");

    private static void Check(Operation operation, SourceSql statement)
    {
        var declared = operation.Parameters.Select(parameter => parameter.Name).ToList();
        if (declared.Count == 0)
            throw new DefinitionException("parameters declares none") { Field = "parameters" };
        if (declared.FirstOrDefault(
            name => name.StartsWith("claimcheck_", StringComparison.OrdinalIgnoreCase) || name == "ordinal") is { } reserved)
            throw new DefinitionException($"parameters declares {reserved}, a name that the service uses itself")
            {
                Field = "parameters",
            };
        if (operation.Parameters.FirstOrDefault(parameter => parameter.Name == operation.Key) is not { } key)
            throw new DefinitionException($"key is {operation.Key}, which parameters does not declare") { Field = "key" };
        if (!key.Required)
            throw new DefinitionException($"key is {operation.Key}, which must be a parameter that is required")
            {
                Field = "key",
            };

        var used = statement.ParameterNames.ToList();
        if (operation.IsSet && used.Count > 0)
            throw new DefinitionException($"the statement uses :{used[0]}, but a statement of form set reads its items from the "
                + $"relation items(ordinal, {string.Join(", ", declared)})")
            {
                IsInSql = true,
            };
        if (used.Except(declared, StringComparer.Ordinal).FirstOrDefault() is { } undeclared)
            throw new DefinitionException($"the statement uses :{undeclared}, which parameters does not declare")
            {
                IsInSql = true,
            };
        if (!operation.IsSet && declared.Except(used, StringComparer.Ordinal).FirstOrDefault() is { } unused)
            throw new DefinitionException($"parameters declares {unused}, which the statement does not use")
            {
                Field = "parameters",
            };
    }
}
