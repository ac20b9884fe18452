using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing.Template;

namespace ClaimCheck.Web;

/// <summary>Describes what a call accepts, for refusals that the framework answers with a bare status.</summary>
public static class Wanted
{
    /// <summary>The detail of a problem for the answer's status, where there is more to say than its meaning.</summary>
    /// <param name="context">The call, answered 405 or 415.</param>
    public static string? Detail(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Response.StatusCode switch
        {
            StatusCodes.Status405MethodNotAllowed when context.Response.Headers.Allow.ToString() is { Length: > 0 } allowed =>
                $"The address exists, but takes {List(allowed.Split(',', StringSplitOptions.TrimEntries), "and")} alone.",
            StatusCodes.Status415UnsupportedMediaType => MediaTypes(context),
            _ => null,
        };
    }

    /// <summary>The media types of a body that the call accepts.</summary>
    /// <param name="context">The call.</param>
    public static string MediaTypes(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var types = Endpoints(context)
            .SelectMany(endpoint => endpoint.Metadata.GetOrderedMetadata<IAcceptsMetadata>())
            .SelectMany(accepts => accepts.ContentTypes)
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .DefaultIfEmpty("application/json")
            .ToList();
        var came =
            context.Request.ContentType is null ? "the body came without a Content-Type" : "the body's Content-Type is another";
        return $"The call takes {List(types, "or")}, in UTF-8, but {came}.";
    }

    // Where routing itself has refused the call, its endpoint is not the application's.
    private static IEnumerable<Endpoint> Endpoints(HttpContext context)
    {
        if (context.GetEndpoint() is RouteEndpoint chosen)
            return [chosen];
        return context.RequestServices.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints)
            .OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()
                ?.HttpMethods.Contains(context.Request.Method, StringComparer.OrdinalIgnoreCase) == true
                && endpoint.RoutePattern.RawText is { } pattern
                && new TemplateMatcher(TemplateParser.Parse(pattern.TrimStart('/')), []).TryMatch(context.Request.Path, []));
    }

    private static string List(IReadOnlyList<string> names, string last) =>
        names.Count == 1 ? names[0] : $"{string.Join(", ", names.Take(names.Count - 1))} {last} {names[^1]}";
}
