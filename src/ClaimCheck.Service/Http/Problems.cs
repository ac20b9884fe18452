using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Startup;

namespace ClaimCheck.Service.Http;

/// <summary>An error answer, <c>application/problem+json</c> (RFC 9457).</summary>
internal sealed class ProblemResult(Problem problem, TimeSpan? retryAfter = null) : IResult, IStatusCodeHttpResult, IValueHttpResult<Problem>
{
    public int? StatusCode => problem.Status;
    public Problem Value => problem;

    /// <summary>The document as it is sent.</summary>
    public byte[] ToUtf8(PublicAddress address) => JsonSerializer.SerializeToUtf8Bytes(Under(address), ClaimCheckJson.Options);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = problem.Status;
        httpContext.Response.Headers.CacheControl = "no-store";
        if (retryAfter is { } wait)
            httpContext.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString();
        await httpContext.Response.WriteAsJsonAsync(
            Under(httpContext.RequestServices.GetRequiredService<PublicAddress>()), ClaimCheckJson.Options, "application/problem+json", httpContext.RequestAborted);
    }

    // Relative to the host where no public address is set: it has no path then.
    private Problem Under(PublicAddress address) => problem with { Type = address.Base + problem.Type };
}

/// <summary>Creates error answers from the codes of <see cref="ProblemCatalogue"/>.</summary>
internal static class Problems
{
    // A hostile body with a million wrong fields must not produce an answer of that size.
    private const int MostErrors = 50;

    public static ProblemResult Of(
        string code, string? detail = null, IReadOnlyDictionary<string, string[]>? errors = null, TimeSpan? retryAfter = null)
    {
        var explained = ProblemCatalogue.Find(code) ?? throw new ArgumentOutOfRangeException(nameof(code), code, "Not a problem code.");
        return new(
            new Problem
            {
                Type = "/problems/" + code,
                Title = explained.Title,
                Status = explained.Status,
                Code = code,
                Detail = detail ?? explained.Meaning,
                Errors = errors,
            },
            retryAfter);
    }

    public static ProblemResult NotFound(string what) =>
        Of(ProblemCodes.NotFound, $"There is no {what} by that name.");

    public static ProblemResult Invalid(IReadOnlyDictionary<string, string[]> errors) =>
        errors.Count <= MostErrors
            ? Of(ProblemCodes.ValidationFailed, "The request is understood, but its fields don't fit: see errors.", errors)
            : Of(
                ProblemCodes.ValidationFailed,
                $"The request is understood, but {errors.Count} of its fields don't fit: errors shows {MostErrors} of them.",
                errors.Take(MostErrors).ToDictionary(StringComparer.Ordinal));

    /// <summary>
    /// The refusal of a dataset or operation that can't be used at present: until its database answers, or until its definition
    /// is fixed.
    /// </summary>
    public static ProblemResult Unavailable(Unavailability why) =>
        Of(why.Code, why.Detail, retryAfter: TimeSpan.FromSeconds(why.Code == ProblemCodes.SourceUnavailable ? 10 : 60));

    public static ProblemResult NotReady(TimeSpan retryAfter) => Of(ProblemCodes.NotReady, retryAfter: retryAfter);

    /// <summary>The refusal of a batch that has ended; <paramref name="state"/> is its end state.</summary>
    public static ProblemResult Gone(string state) => Of(state switch
    {
        ExportState.Revoked => ProblemCodes.BatchRevoked,
        ExportState.Expired => ProblemCodes.BatchExpired,
        ExportState.Cancelled => ProblemCodes.ExportCancelled,
        ExportState.Failed => ProblemCodes.ExportFailed,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Not an end state."),
    });

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
