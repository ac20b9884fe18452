namespace ClaimCheck.Cli.Commands;

/// <summary>Lists the datasets that can be exported.</summary>
internal static class DatasetsCommand
{
    public static Command Make()
    {
        var name = new Argument<string?>("name")
        {
            Description = "Show this one, with its parameters and columns.",
            Arity = ArgumentArity.ZeroOrOne,
            DefaultValueFactory = _ => null,
        };
        return new Command("datasets", "Lists what can be exported, or shows one dataset.")
            .With(name)
            .Runs((session, cancellationToken) => session.Get(name) is { } one
                ? ShowAsync(session, one, cancellationToken)
                : ListAsync(session, cancellationToken));
    }

    private static async Task<int> ListAsync(Session session, CancellationToken cancellationToken)
    {
        var all = new List<DatasetInfo>();
        string? cursor = null;
        do
        {
            var page = await session.Client.GetDatasetsAsync(cursor, cancellationToken);
            all.AddRange(page.Items);
            cursor = page.NextCursor;
        }
        while (cursor is not null);
        session.Screen.Document(Redaction.ToJson(new Page<DatasetInfo>(all, null)));
        session.Screen.Table(
            ["DATASET", "TITLE", "PARAMETERS", "AVAILABLE"],
            [.. all.Select(dataset => new[] { dataset.Name, dataset.Title, string.Join(", ", dataset.Parameters.Keys),
                dataset.Available ? "yes" : "no" })]);
        foreach (var dataset in all.Where(dataset => !dataset.Available))
            session.Screen.Hint($"{dataset.Name} can't be exported now. {dataset.Unavailable?.Detail}");
        return ExitCodes.Ok;
    }

    private static async Task<int> ShowAsync(Session session, string name, CancellationToken cancellationToken)
    {
        var dataset = await session.Client.GetDatasetAsync(name, cancellationToken);
        session.Screen.Document(Redaction.ToJson(dataset));
        session.Screen.Facts(
            ("dataset", dataset.Name),
            ("title", dataset.Title),
            ("available", dataset.Available ? "yes" : $"no: {dataset.Unavailable?.Detail ?? "the service does not say why"}"),
            ("version", $"{dataset.SchemaVersion}"),
            ("key", dataset.Key),
            ("ordered by", dataset.OrderedBy),
            ("formats", $"{string.Join(", ", dataset.Formats)}; {string.Join(", ", dataset.Compressions)}"),
            ("links live", dataset.LinkLifetime),
            ("retention", dataset.Retention));
        foreach (var (parameter, type) in dataset.Parameters)
            session.Screen.Line($"parameter     --where {parameter}=… ({type.Type}{(type.Required ? ", required" : "")})");
        foreach (var column in dataset.Columns ?? [])
            session.Screen.Line($"column        {column.Name} {column.Type}{(column.Nullable ? "" : " not null")}");
        return ExitCodes.Ok;
    }
}
