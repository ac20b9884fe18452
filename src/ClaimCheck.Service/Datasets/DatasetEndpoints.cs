namespace ClaimCheck.Service.Datasets;

/// <summary>The datasets as callers see them.</summary>
internal static class DatasetEndpoints
{
    private const string Call = "datasets";
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    public static IEndpointRouteBuilder MapDatasets(this IEndpointRouteBuilder routes)
    {
        var datasets = routes.MapGroup("/v1/datasets").WithTags("Datasets").ProducesProblems(401);
        datasets.MapMethods("", GetAndHead, ListDatasets).WithName("ListDatasets").WithSummary("What can be exported.")
            .ReadsPaging().ProducesProblems(400);
        datasets.MapMethods("/{name}", GetAndHead, GetDataset).WithName("GetDataset")
            .WithSummary("One dataset: parameters, columns, schema of a record.")
            .ProducesProblems(404);
        datasets.MapPost("/reload", Reload).WithName("ReloadDatasets")
            .WithSummary(
                "Reads the definitions again, and asks their sources anew: says of each what has changed and what is wrong.")
            .ProducesProblems(503);
        return routes;
    }

    private static Task<Results<Ok<Page<DatasetInfo>>, ProblemResult>> ListDatasets(
        HttpRequest request, DatasetCatalog catalog, PublicAddress address, CancellationToken cancellationToken) =>
        DefinitionEndpoints.ListAsync(request, Call, catalog.Current, one => DescribeAsync(one, address, cancellationToken));

    private static async Task<Results<Ok<DatasetInfo>, ProblemResult>> GetDataset(
        string name, DatasetCatalog catalog, PublicAddress address, CancellationToken cancellationToken) =>
        catalog.Find(name) is { } dataset
            ? TypedResults.Ok(await DescribeAsync(dataset, address, cancellationToken))
            : Problems.NotFound("dataset");

    private static Task<Results<Ok<ReloadedDefinitions>, ProblemResult>> Reload(
        DatasetCatalog catalog, CancellationToken cancellationToken) =>
        DefinitionEndpoints.ReloadAsync(catalog, cancellationToken);

    private static async Task<DatasetInfo> DescribeAsync(
        DefinedDataset defined, PublicAddress address, CancellationToken cancellationToken)
    {
        var availability = await defined.ProbeAsync(cancellationToken);
        var (dataset, columns) = (defined.Definition, availability.Columns);
        var name = Uri.EscapeDataString(defined.Name);
        return new DatasetInfo
        {
            Name = defined.Name,
            Title = dataset?.Title ?? defined.Name,
            SchemaVersion = dataset?.SchemaVersion ?? 0,
            Key = dataset?.Key,
            OrderedBy = columns is null ? null : dataset?.Sql.OrderedBy(columns.Select(column => column.Name)),
            Parameters = new OrderedDictionary<string, DatasetParameter>((dataset?.Parameters ?? []).Select(parameter =>
                KeyValuePair.Create(parameter.Name, new DatasetParameter(parameter.Type, parameter.Required)))),
            Formats = ["csv", "ndjson"],
            Compressions = ["gzip", "none"],
            Columns = columns is null ? null : [.. columns.Select(column => column.ToContract())],
            RecordSchema = columns is null ? null : RecordSchema.Of(columns),
            LinkLifetime = dataset is null ? null : IsoDuration.Format(dataset.LinkLifetime),
            Retention = dataset is null ? null : IsoDuration.Format(dataset.Retention),
            Delivery = dataset?.Delivery,
            MaxRecords = dataset?.MaxRecords,
            MaxBytes = dataset?.MaxBytes,
            Available = availability.IsAvailable,
            Unavailable = availability.Unavailable,
            Links = new DatasetLinks(address.Url($"/v1/datasets/{name}"), address.Url($"/v1/exports?dataset={name}")),
        };
    }
}
