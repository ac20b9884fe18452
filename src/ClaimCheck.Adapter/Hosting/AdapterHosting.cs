using System.Text.Json;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Contracts;
using ClaimCheck.Web;
using Microsoft.AspNetCore.Diagnostics;

namespace ClaimCheck.Adapter.Hosting;

/// <summary>What every call shares: limits, keys, problems, health, logs.</summary>
internal static partial class AdapterHosting
{
    private const long LargestBody = 1 << 20;

    public static WebApplicationBuilder AddHosting(this WebApplicationBuilder builder, AdapterSettings settings)
    {
        builder.Services
            .AddSingleton(settings)
            .AddSingleton(TimeProvider.System)
            .ConfigureHttpJsonOptions(json => ClaimCheckJson.Configure(json.SerializerOptions))
            .Configure<HostOptions>(host =>
            {
                host.ShutdownTimeout = TimeSpan.FromSeconds(20);
                host.ServicesStopConcurrently = true;
            })
            .Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Logging.AddLinkSafeConsole();
        var allowed = CallerKeys.Addresses(settings);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBody;
            kestrel.ConfigureEndpointDefaults(endpoint =>
            {
                allowed.CheckBound(endpoint.EndPoint);
                endpoint.AddBodies(status => Problems.Of(Problems.ForStatus(status)).ToUtf8());
            });
        });
        return builder;
    }

    /// <summary>
    /// The pipeline of every call. Access is decided before the query is checked, and that before anything is done.
    /// </summary>
    public static WebApplication UseHosting(this WebApplication app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = ExplainAsync, SuppressDiagnosticsCallback = static _ => true });
        app.UseStatusCodePages(context =>
            Problems.Of(Problems.ForStatus(context.HttpContext.Response.StatusCode), Wanted.Detail(context.HttpContext)).ExecuteAsync(context.HttpContext));
        app.UseStreaming();
        app.UseMiddleware<CallerKeys>();
        app.Use((context, next) => KnownQuery.FaultOf(context) is { } fault
            ? Problems.Of(fault.Code, fault.Detail, fault.Errors).ExecuteAsync(context)
            : next(context));
        return app;
    }

    public static IEndpointRouteBuilder MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/health/live", [HttpMethods.Get, HttpMethods.Head], () => TypedResults.Ok(new { status = "live" }));
        routes.MapMethods("/health/ready", [HttpMethods.Get, HttpMethods.Head], IResult (IHostApplicationLifetime lifetime) =>
            lifetime.ApplicationStopping.IsCancellationRequested ? Problems.Of(ProblemCodes.ShuttingDown) : TypedResults.Ok(new { status = "ready" }));
        return routes;
    }

    // The one place where exceptions become problems. Their texts go to the log, not to the caller.
    private static async Task ExplainAsync(HttpContext context)
    {
        var exception = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        if (exception is OperationCanceledException && context.RequestAborted.IsCancellationRequested)
            return;
        var problem = exception switch
        {
            BadHttpRequestException bad => Problems.Of(Problems.ForStatus(bad.StatusCode)),
            JsonException => Problems.Of(ProblemCodes.MalformedJson),
            OperationCanceledException => Problems.Of(ProblemCodes.ShuttingDown, retryAfter: TimeSpan.FromSeconds(5)),
            _ => Problems.Of(ProblemCodes.InternalError),
        };
        if (exception is not null && problem.Value.Code == ProblemCodes.InternalError)
            Log.Broken(context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(AdapterHosting)), Defect.Of(exception), context.Request.Method);
        await problem.ExecuteAsync(context);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "A {Method} hit a defect of the adapter, and was answered with 500.")]
        public static partial void Broken(ILogger logger, Exception exception, string method);
    }
}
