namespace ClaimCheck.Service.Http;

/// <summary>For proxies in front of the service: one public address, whose path they may remove or keep, and answers that are not
/// buffered.</summary>
internal static class ProxyHeaders
{
    /// <summary>Runs before routing.</summary>
    public static IApplicationBuilder UseProxies(this WebApplication app, PublicAddress address)
    {
        app.UseStreaming();
        if (address.Base.Length == 0)
            return app;
        var prefix = address.Prefix;
        var roots = new Lazy<HashSet<string>>(() => RootsOf(app));
        return app.Use((context, next) =>
        {
            // A path that is one of the service's own after removing the prefix had the prefix, even where both begin alike.
            if (prefix.HasValue && context.Request.Path.StartsWithSegments(prefix, StringComparison.Ordinal, out var rest)
                && roots.Value.Contains(FirstOf(rest)))
                (context.Request.PathBase, context.Request.Path) = (context.Request.PathBase + prefix, rest);
            context.Response.OnStarting(() =>
            {
                if (context.Response.Headers.Location is [['/', ..] path])
                    context.Response.Headers.Location = address.Url(path);
                return Task.CompletedTask;
            });
            return next(context);
        });
    }

    private static HashSet<string> RootsOf(IEndpointRouteBuilder routes) =>
        [.. routes.DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Select(endpoint => FirstOf("/" + endpoint.RoutePattern.RawText?.TrimStart('/')))];

    private static string FirstOf(PathString path) => path.Value is { Length: > 0 } text ? text.Split('/')[1] : "";
}
