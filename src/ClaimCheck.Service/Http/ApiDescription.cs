using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace ClaimCheck.Service.Http;

/// <summary><c>GET /openapi/v1.json</c>.</summary>
internal static class ApiDescription
{
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    public static IServiceCollection AddApiDescription(this IServiceCollection services) =>
        services.AddOpenApi("v1", options => options.AddDocumentTransformer(Describe).AddOperationTransformer(AddParameters));

    public static IEndpointRouteBuilder MapApiDescription(this IEndpointRouteBuilder routes)
    {
        // There is one document under one name: any other is not found, as every other address is.
        routes.MapOpenApi("/openapi/v1.json").Finally(endpoint =>
        {
            foreach (var onlyGet in endpoint.Metadata.OfType<HttpMethodMetadata>().ToList())
                endpoint.Metadata.Remove(onlyGet);
            endpoint.Metadata.Add(new HttpMethodMetadata(GetAndHead));
        });
        return routes;
    }

    /// <summary>Declares that one status of a call has several kinds of answers, of which the description would name the last one
    /// alone.</summary>
    public static RouteHandlerBuilder AnswersOneOf(this RouteHandlerBuilder call, int status, params string[] schemas) =>
        call.AddOpenApiOperationTransformer((operation, context, _) =>
        {
            if (operation.Responses?.GetValueOrDefault(status.ToString()) is { Content: { } content })
            {
                content["application/json"].Schema = new OpenApiSchema
                {
                    OneOf = [.. schemas.Select(name => new OpenApiSchemaReference(name, context.Document))],
                };
            }

            return Task.CompletedTask;
        });

    private static Task Describe(
        OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new()
        {
            Title = "ClaimCheck",
            Version = "1",
            Description = "Bulk exports as links: ask, wait for BulkReady, fetch, revoke. HEAD works where GET does. "
                + "A query parameter that a call does not name is refused, 400 unknown_parameter.",
        };
        if (context.ApplicationServices.GetRequiredService<PublicAddress>().Base is { Length: > 0 } address)
            document.Servers = [new() { Url = address }];
        // They would repeat each GET under the same operation id.
        foreach (var path in document.Paths.Values)
            path.Operations?.Remove(HttpMethod.Head);
        return Task.CompletedTask;
    }

    private static Task AddParameters(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        foreach (var parameter in context.Description.ActionDescriptor.EndpointMetadata.OfType<ReadParameter>())
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = parameter.Name,
                In = parameter.IsHeader ? ParameterLocation.Header : ParameterLocation.Query,
                Description = parameter.Description,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
        }

        return Task.CompletedTask;
    }
}
