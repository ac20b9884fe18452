namespace ClaimCheck.Web;

/// <summary>An error answer, <c>application/problem+json</c> (RFC 9457), with what the program's <see cref="KnownProblems"/>
/// say of its code.</summary>
public sealed class ProblemResult(Refused why) : IResult
{
    /// <summary>Writes it.</summary>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        var problem = httpContext.RequestServices.GetRequiredService<KnownProblems>().Explain(why);
        httpContext.Response.StatusCode = problem.Status;
        httpContext.Response.Headers.CacheControl = "no-store";
        if (why.RetryAfter is { } wait)
            httpContext.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString();
        await httpContext.Response.WriteAsJsonAsync(
            problem, ClaimCheckJson.Options, "application/problem+json", httpContext.RequestAborted);
    }
}

/// <summary>Creates error answers in endpoints: the domain returns <see cref="Refused"/>.</summary>
public static class Problems
{
    /// <summary>The answer with the reason.</summary>
    public static ProblemResult Of(Refused why) => new(why);

    /// <summary>The answer with a code.</summary>
    public static ProblemResult Of(
        string code, string? detail = null, IReadOnlyDictionary<string, string[]>? errors = null, TimeSpan? retryAfter = null) =>
        new(new(code, detail, errors, retryAfter));

    /// <inheritdoc cref="Refused.NotFound"/>
    public static ProblemResult NotFound(string what) => new(Refused.NotFound(what));

    /// <inheritdoc cref="Refused.Invalid"/>
    public static ProblemResult Invalid(IReadOnlyDictionary<string, string[]> errors) => new(Refused.Invalid(errors));

    /// <summary>Declares in the OpenAPI document that a call may answer this status with a problem.</summary>
    public static TBuilder ProducesProblems<TBuilder>(this TBuilder builder, params ReadOnlySpan<int> statuses)
        where TBuilder : IEndpointConventionBuilder
    {
        foreach (var status in statuses)
        {
            builder.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(Problem), ["application/problem+json"]));
        }

        return builder;
    }
}
