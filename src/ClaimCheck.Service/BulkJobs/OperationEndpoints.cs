using System.Text.Json.Nodes;
using ClaimCheck.Service.BulkJobs.Targets;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>The operations of bulk jobs as callers see them, and the script that the operator runs in a target.</summary>
internal static class OperationEndpoints
{
    private const string Call = "operations";
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    public static IEndpointRouteBuilder MapOperations(this IEndpointRouteBuilder routes)
    {
        var operations = routes.MapGroup("/v1/operations").WithTags("Bulk jobs").ProducesProblems(401);
        operations.MapMethods("", Read, List).WithName("ListOperations")
            .WithSummary("What bulk jobs may do, with the JSON Schema of an item.")
            .ReadsPaging().ProducesProblems(400);
        operations.MapMethods("/{name}", Read, Get).WithName("GetOperation").WithSummary("One operation.").ProducesProblems(404);
        operations.MapPost("/reload", Reload).WithName("ReloadOperations")
            .WithSummary(
                "Reads the definitions again, and asks their targets anew: says of each what has changed and what is wrong.")
            .ProducesProblems(503);
        operations.MapMethods("/target.sql", Read, Script).WithName("GetTargetScript").Produces<string>(200, "application/sql")
            .WithSummary("What to run in a target, so that chunks are applied exactly once.");
        return routes;
    }

    private static Task<Results<Ok<Page<OperationInfo>>, ProblemResult>> List(
        HttpRequest request, OperationCatalog catalog, PublicAddress address, CancellationToken cancellationToken) =>
        DefinitionEndpoints.ListAsync(request, Call, catalog.Current, one => ShowAsync(one, address, cancellationToken));

    private static async Task<Results<Ok<OperationInfo>, ProblemResult>> Get(
        string name, OperationCatalog catalog, PublicAddress address, CancellationToken cancellationToken) =>
        catalog.Find(name) is { } operation
            ? TypedResults.Ok(await ShowAsync(operation, address, cancellationToken))
            : Problems.NotFound("operation");

    private static Task<Results<Ok<ReloadedDefinitions>, ProblemResult>> Reload(
        OperationCatalog catalog, CancellationToken cancellationToken) =>
        DefinitionEndpoints.ReloadAsync(catalog, cancellationToken);

    private static ContentHttpResult Script() => TypedResults.Text(TargetScript.Sql, "application/sql");

    private static async Task<OperationInfo> ShowAsync(
        DefinedOperation defined, PublicAddress address, CancellationToken cancellationToken)
    {
        var unavailable = await defined.AskAsync(anew: false, cancellationToken);
        var operation = defined.Definition;
        return new()
        {
            Name = defined.Name,
            Title = operation?.Title ?? defined.Name,
            Form = operation?.Form,
            Key = operation?.Key,
            Chunk = operation?.Chunk ?? 0,
            Atomicity = operation?.Atomicity,
            Delivery = operation?.Delivery,
            Concurrency = operation?.Concurrency ?? 0,
            Parameters = new OrderedDictionary<string, DatasetParameter>((operation?.Parameters ?? []).Select(parameter =>
                KeyValuePair.Create(parameter.Name, new DatasetParameter(parameter.Type, parameter.Required)))),
            ItemSchema = operation is null ? null : SchemaOf(operation),
            Available = unavailable is null,
            Unavailable = unavailable,
            Self = address.Url($"/v1/operations/{Uri.EscapeDataString(defined.Name)}"),
        };
    }

    private static JsonElement SchemaOf(Operation operation) => JsonSerializer.SerializeToElement(
        new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["type"] = "object",
            ["properties"] = new JsonObject(
                operation.Parameters.Select(parameter => KeyValuePair.Create(parameter.Name, (JsonNode?)SchemaOf(parameter)))),
            ["required"] = new JsonArray([.. operation.Parameters.Where(parameter => parameter.Required)
                .Select(parameter => JsonValue.Create(parameter.Name))]),
            ["additionalProperties"] = false,
        },
        ClaimCheckJson.Options);

    private static JsonObject SchemaOf(Dataset.Parameter parameter)
    {
        // The structure of a type that the target defines is known to its server only.
        var type = PostgresType.Of(parameter.Type);
        if (type.Kind == TypeKind.Json || (type.Kind == TypeKind.Text && !type.IsPlainText))
            return [];
        if (type.Element is null)
            return SchemaOf(parameter.Type, parameter.Required);
        // Elements may be NULL, or arrays where there are more dimensions; an array may also be text as Postgres writes it.
        return new()
        {
            ["type"] = parameter.Required ? new JsonArray("array", "string") : new JsonArray("array", "string", "null"),
        };
    }

    private static JsonObject SchemaOf(string type, bool isRequired)
    {
        return new()
        {
            // Any value may be given as the text that Postgres reads.
            ["type"] = TypesOf(
                type switch
                {
                    "boolean" => "boolean",
                    "smallint" or "integer" or "bigint" => "integer",
                    "numeric" or "real" or "double precision" => "number",
                    _ => null,
                },
                isRequired),
        };
    }

    // A parameter that may be omitted may also be null.
    private static JsonNode TypesOf(string? type, bool isRequired)
    {
        string[] types = [.. type is null ? (string[])[] : [type], "string", .. isRequired ? (string[])[] : ["null"]];
        return types is [var one] ? JsonValue.Create(one) : new JsonArray([.. types.Select(each => JsonValue.Create(each))]);
    }
}
