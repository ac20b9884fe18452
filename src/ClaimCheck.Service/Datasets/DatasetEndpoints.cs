using System.Buffers.Text;
using System.Globalization;
using System.Text;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClaimCheck.Service.Datasets;

/// <summary>What can be exported, as callers see it.</summary>
internal static class DatasetEndpoints
{
    private const int DefaultLimit = 100;
    private const int MostPerPage = 1000;
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    public static WebApplicationBuilder AddDatasets(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<DatasetFolder>();
        builder.Services.AddSingleton<SourceDatabases>();
        builder.Services.AddSingleton<SampleDatabase>();
        builder.Services.AddSingleton<DatasetCatalog>();
        return builder;
    }

    public static IEndpointRouteBuilder MapDatasets(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/v1/datasets", GetAndHead, ListDatasets);
        routes.MapMethods("/v1/datasets/{name}", GetAndHead, GetDataset);
        return routes;
    }

    private static async Task<Results<Ok<Page<DatasetInfo>>, BadRequest>> ListDatasets(
        DatasetCatalog catalog, PublicAddress address, CancellationToken cancellationToken, string? limit = null, string? cursor = null)
    {
        if (!TryReadPage(limit, cursor, out var size, out var after))
            return TypedResults.BadRequest();
        var rest = catalog.All.Where(dataset => string.CompareOrdinal(dataset.Name, after) > 0).Take(size + 1).ToList();
        var shown = rest.Take(size);
        var items = await Task.WhenAll(shown.Select(dataset => DescribeAsync(dataset, catalog, address, cancellationToken)));
        return TypedResults.Ok(new Page<DatasetInfo>(items, rest.Count > size ? CursorAfter(items[^1].Name) : null));
    }

    private static async Task<Results<Ok<DatasetInfo>, NotFound>> GetDataset(
        string name, DatasetCatalog catalog, PublicAddress address, CancellationToken cancellationToken) =>
        catalog.Find(name) is { } dataset
            ? TypedResults.Ok(await DescribeAsync(dataset, catalog, address, cancellationToken))
            : TypedResults.NotFound();

    private static async Task<DatasetInfo> DescribeAsync(
        Dataset dataset, DatasetCatalog catalog, PublicAddress address, CancellationToken cancellationToken)
    {
        var availability = await catalog.ProbeAsync(dataset, cancellationToken);
        var columns = availability.Columns;
        return new DatasetInfo
        {
            Name = dataset.Name,
            Title = dataset.Title,
            SchemaVersion = dataset.SchemaVersion,
            Key = dataset.Key,
            OrderedBy = columns is null ? null : dataset.Sql.OrderedBy(columns.Select(column => column.Name)),
            Parameters = new OrderedDictionary<string, DatasetParameter>(dataset.Parameters.Select(parameter =>
                KeyValuePair.Create(parameter.Name, new DatasetParameter(parameter.Type, parameter.Required)))),
            Formats = ["csv", "ndjson"],
            Compressions = ["gzip", "none"],
            Columns = columns is null ? null : [.. columns.Select(column => column.ToContract())],
            RecordSchema = columns is null ? null : RecordSchema.Of(columns),
            LinkLifetime = IsoDuration.Format(dataset.LinkLifetime),
            Retention = IsoDuration.Format(dataset.Retention),
            Delivery = dataset.Delivery,
            Available = availability.IsAvailable,
            Links = new DatasetLinks(
                address.Url($"/v1/datasets/{dataset.Name}"), address.Url($"/v1/exports?dataset={dataset.Name}")),
        };
    }

    private static bool TryReadPage(string? limit, string? cursor, out int size, out string after)
    {
        (size, after) = (DefaultLimit, "");
        if (limit is not null
            && !(int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out size) && size is >= 1 and <= MostPerPage))
            return false;
        if (string.IsNullOrEmpty(cursor))
            return true;
        if (cursor.Length > 256 || !Base64Url.IsValid(cursor))
            return false;
        after = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor));
        return true;
    }

    private static string CursorAfter(string name) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(name));
}
