using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Web;

/// <summary>Answers for what no endpoint has answered: exceptions, bare statuses, unknown query parameters.</summary>
public static partial class UnhandledProblems
{
    /// <summary>Adds the step that answers exceptions and bare statuses. It runs before all others.</summary>
    /// <param name="app">The program.</param>
    /// <param name="known">The answer for an exception of the program's own; null where it is a defect.</param>
    public static IApplicationBuilder UseProblems(this IApplicationBuilder app, Func<Exception, Refused?> known)
    {
        // Defects are logged here, without values; a caller's mistake or an unreachable peer is not a defect.
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = context => ExplainAsync(context, known),
            SuppressDiagnosticsCallback = static _ => true,
        });
        // Routing and the server answer with a bare status; the body is added here.
        return app.UseStatusCodePages(status => Problems.Of(
            status.HttpContext.RequestServices.GetRequiredService<KnownProblems>()
                .ForStatus(status.HttpContext.Response.StatusCode),
            Wanted.Detail(status.HttpContext)).ExecuteAsync(status.HttpContext));
    }

    /// <summary>Adds the step that refuses unknown query parameters. It runs after the one that decides who may call.</summary>
    public static IApplicationBuilder UseKnownQuery(this IApplicationBuilder app) =>
        app.Use((context, next) =>
            KnownQuery.FaultOf(context) is { } fault ? Problems.Of(fault).ExecuteAsync(context) : next(context));

    // The one place where exceptions become problems. Their texts go to the log, not to the caller.
    private static async Task ExplainAsync(HttpContext context, Func<Exception, Refused?> known)
    {
        var exception = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        var why = exception switch
        {
            BadHttpRequestException bad =>
                new(context.RequestServices.GetRequiredService<KnownProblems>().ForStatus(bad.StatusCode)),
            JsonException => new(ProblemCodes.MalformedJson),
            OperationCanceledException => new(ProblemCodes.ShuttingDown, RetryAfter: TimeSpan.FromSeconds(5)),
            not null => known(exception),
            null => null,
        };
        if (why is null && exception is not null)
            Log.Broken(context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(UnhandledProblems)),
                Defect.Of(exception), context.Request.Method, Pattern(context));
        try
        {
            await Problems.Of(why ?? new(ProblemCodes.InternalError)).ExecuteAsync(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller has disconnected, usually in the middle of its body: nobody listens.
        }
    }

    // The path itself may contain a link's signature.
    private static string Pattern(HttpContext context) =>
        (context.Features.Get<IExceptionHandlerFeature>()?.Endpoint as RouteEndpoint)?.RoutePattern.RawText ?? "no route";

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Method} {Route} hit a defect, and was answered 500.")]
        public static partial void Broken(ILogger logger, Exception exception, string method, string route);
    }
}
