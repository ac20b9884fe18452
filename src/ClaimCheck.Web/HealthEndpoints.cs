using Microsoft.Extensions.Hosting;

namespace ClaimCheck.Web;

/// <summary><c>GET /health/live</c> and <c>/health/ready</c>.</summary>
public static class HealthEndpoints
{
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Maps both.</summary>
    /// <param name="routes">Where.</param>
    /// <param name="whyNotReady">What the program is missing to do its work; null where nothing is.</param>
    public static IEndpointRouteBuilder MapHealth(
        this IEndpointRouteBuilder routes, Func<HttpContext, Task<Refused?>> whyNotReady)
    {
        routes.MapMethods("/health/live", GetAndHead, () => TypedResults.Ok(new { status = "live" })).WithTags("Health");
        routes.MapMethods(
            "/health/ready", GetAndHead, async Task<IResult> (HttpContext context, IHostApplicationLifetime lifetime) =>
            {
                var why = lifetime.ApplicationStopping.IsCancellationRequested
                    ? new(ProblemCodes.ShuttingDown)
                    : await whyNotReady(context);
                return why is null ? TypedResults.Ok(new { status = "ready" }) : Problems.Of(why);
            }).WithTags("Health").Produces(StatusCodes.Status200OK).ProducesProblems(StatusCodes.Status503ServiceUnavailable);
        return routes;
    }
}
