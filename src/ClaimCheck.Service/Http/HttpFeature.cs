namespace ClaimCheck.Service.Http;

/// <summary>What every call shares: limits, keys, problems, health, OpenAPI.</summary>
internal static class HttpFeature
{
    private const string DefaultUrl = "http://127.0.0.1:8080";
    private const long LargestBody = 1 << 20;

    public static WebApplicationBuilder AddHttp(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<HttpOptions>(HttpOptions.Section);
        builder.Services
            .AddSingleton<ConnectionLimit>()
            .AddSingleton(services => ProblemCatalogue.Under(services.GetRequiredService<PublicAddress>()))
            .ConfigureHttpJsonOptions(json => ClaimCheckJson.Configure(json.SerializerOptions))
            .Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true)
            .AddApiDescription();
        builder.Logging.AddLinkSafeConsole();
        var allowed = ApiKeys.Addresses(builder.Configuration);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBody;
            var limit = kestrel.ApplicationServices.GetRequiredService<ConnectionLimit>();
            limit.Apply(kestrel);
            kestrel.ConfigureEndpointDefaults(endpoint =>
            {
                allowed.CheckBound(endpoint.EndPoint);
                limit.Watch(endpoint);
                endpoint.AddBodies(kestrel.ApplicationServices.GetRequiredService<KnownProblems>().ToUtf8);
            });
        });
        return builder;
    }

    /// <summary>The pipeline of every call. Access is decided before the query is checked, and that before anything is
    /// done.</summary>
    public static WebApplication UseHttp(this WebApplication app)
    {
        app.UseProblems(exception => Known(exception, app.Services.GetServices<ExceptionProblem>()));
        app.Use((context, next) =>
        {
            // Browsers must not guess a content type, or run content as a page that is not one.
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return next(context);
        });
        app.UseProxies(app.Services.GetRequiredService<PublicAddress>());
        app.UseRouting();
        app.UseMiddleware<ApiKeys>();
        app.UseKnownQuery();
        return app;
    }

    /// <summary>Whether the keys are strong enough, and whether every address may be listened on without TLS or a key.</summary>
    public static Task CheckAccess(WebApplication app, CancellationToken cancellationToken)
    {
        ApiKeys.Check(app.Configuration);
        ApiKeys.Addresses(app.Configuration).Check(ListenAddresses.Of(app, DefaultUrl));
        return Task.CompletedTask;
    }

    public static IEndpointRouteBuilder MapHttp(this IEndpointRouteBuilder routes)
    {
        routes.MapHealth(WhyNotReadyAsync);
        routes.MapApiDescription();
        routes.MapProblemPages();
        return routes;
    }

    private static async Task<Refused?> WhyNotReadyAsync(HttpContext context)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        limit.CancelAfter(TimeSpan.FromSeconds(3));
        try
        {
            await using var connection = await context.RequestServices.GetRequiredService<NpgsqlDataSource>()
                .OpenConnectionAsync(limit.Token);
            await using var command = new NpgsqlCommand("SELECT 1", connection);
            await command.ExecuteScalarAsync(limit.Token);
            return null;
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e)
            || (e is OperationCanceledException && !context.RequestAborted.IsCancellationRequested))
        {
            return new(ProblemCodes.CatalogUnavailable, RetryAfter: TimeSpan.FromSeconds(5));
        }
    }

    // The answer for an exception that is not a defect: features register theirs.
    private static Refused? Known(Exception exception, IEnumerable<ExceptionProblem> problems) =>
        CatalogErrors.IsTransient(exception) ? new(ProblemCodes.CatalogUnavailable, RetryAfter: TimeSpan.FromSeconds(5))
        : problems.FirstOrDefault(known => known.Exception.IsInstanceOfType(exception)) is { } known ? new(
            known.Code, RetryAfter: known.RetryAfter)
        : null;
}
