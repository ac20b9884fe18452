using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Http.Access;
using ClaimCheck.Service.Startup;
using ClaimCheck.Web;
using Microsoft.AspNetCore.Diagnostics;
using Npgsql;

namespace ClaimCheck.Service.Http;

/// <summary>What every call shares: limits, keys, problems, health, OpenAPI.</summary>
internal static partial class HttpFeature
{
    private const string DefaultUrl = "http://127.0.0.1:8080";
    private const long LargestBody = 1 << 20;

    public static WebApplicationBuilder AddHttp(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<HttpOptions>(HttpOptions.Section);
        builder.Services
            .AddSingleton<ConnectionLimit>()
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
                endpoint.AddBodies(status => Problems.Of(ProblemCatalogue.ForStatus(status)).ToUtf8(kestrel.ApplicationServices.GetRequiredService<PublicAddress>()));
            });
        });
        return builder;
    }

    /// <summary>
    /// The pipeline of every call. Access is decided before the query is checked, and that before anything is done.
    /// </summary>
    public static WebApplication UseHttp(this WebApplication app)
    {
        // Defects are logged here, without values; a caller's mistake or an unreachable peer is not a defect.
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = ExplainAsync, SuppressDiagnosticsCallback = static _ => true });
        // Routing and the server answer with a bare status; the body is added here.
        app.UseStatusCodePages(context =>
            Problems.Of(ProblemCatalogue.ForStatus(context.HttpContext.Response.StatusCode), Wanted.Detail(context.HttpContext)).ExecuteAsync(context.HttpContext));
        app.Use((context, next) =>
        {
            // Browsers must not guess a content type, or run content as a page that is not one.
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return next(context);
        });
        app.UseProxies(app.Services.GetRequiredService<PublicAddress>());
        app.UseRouting();
        app.UseMiddleware<ApiKeys>();
        app.Use((context, next) => KnownQuery.FaultOf(context) is { } fault
            ? Problems.Of(fault.Code, fault.Detail, fault.Errors).ExecuteAsync(context)
            : next(context));
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
        routes.MapMethods("/health/live", [HttpMethods.Get, HttpMethods.Head], () => TypedResults.Ok(new { status = "live" })).WithTags("Health");
        routes.MapMethods("/health/ready", [HttpMethods.Get, HttpMethods.Head], Ready).WithTags("Health").Produces(200).ProducesProblems(503);
        routes.MapApiDescription();
        routes.MapProblemPages();
        return routes;
    }

    private static async Task<IResult> Ready(NpgsqlDataSource catalog, IHostApplicationLifetime lifetime, CancellationToken cancellationToken)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
            return Problems.Of(ProblemCodes.ShuttingDown);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(3));
        try
        {
            await using var connection = await catalog.OpenConnectionAsync(limit.Token);
            await using var command = new NpgsqlCommand("SELECT 1", connection);
            await command.ExecuteScalarAsync(limit.Token);
            return TypedResults.Ok(new { status = "ready" });
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e) || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return Problems.Of(ProblemCodes.CatalogUnavailable, retryAfter: TimeSpan.FromSeconds(5));
        }
    }

    // The one place where exceptions become problems. Their texts go to the log, not to the caller.
    private static async Task ExplainAsync(HttpContext context)
    {
        var exception = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        var problem = exception switch
        {
            BadHttpRequestException bad => Problems.Of(ProblemCatalogue.ForStatus(bad.StatusCode)),
            JsonException => Problems.Of(ProblemCodes.MalformedJson),
            OperationCanceledException => Problems.Of(ProblemCodes.ShuttingDown, retryAfter: TimeSpan.FromSeconds(5)),
            not null when CatalogErrors.IsTransient(exception) => Problems.Of(ProblemCodes.CatalogUnavailable, retryAfter: TimeSpan.FromSeconds(5)),
            not null when context.RequestServices.GetServices<ExceptionProblem>().FirstOrDefault(known => known.Exception.IsInstanceOfType(exception)) is { } known =>
                Problems.Of(known.Code, retryAfter: known.RetryAfter),
            _ => Problems.Of(ProblemCodes.InternalError),
        };
        if (exception is not null && problem.Value.Code == ProblemCodes.InternalError)
            Log.Broken(context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(HttpFeature)), Defect.Of(exception), context.Request.Method, Pattern(context));
        try
        {
            await problem.ExecuteAsync(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller has disconnected, usually in the middle of its body: nobody listens.
        }
    }

    // The path itself may contain a link's signature.
    private static string Pattern(HttpContext context) => (context.Features.Get<IExceptionHandlerFeature>()?.Endpoint as RouteEndpoint)?.RoutePattern.RawText ?? "no route";

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Method} {Route} hit a defect of the service, and was answered with 500.")]
        public static partial void Broken(ILogger logger, Exception exception, string method, string route);
    }
}
