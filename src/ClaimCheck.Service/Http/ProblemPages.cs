using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Service.Http;

/// <summary><c>GET /problems[/{code}]</c>: what each code means. HTML for browsers, JSON for programs.</summary>
internal static class ProblemPages
{
    public static IEndpointRouteBuilder MapProblemPages(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/problems", [HttpMethods.Get, HttpMethods.Head], List).WithName("ListProblems").WithTags("Problems");
        routes.MapMethods("/problems/{code}", [HttpMethods.Get, HttpMethods.Head], Show).WithName("GetProblem")
            .WithTags("Problems").ProducesProblems(404);
        return routes;
    }

    private static Results<Ok<Page<ExplainedProblem>>, ContentHttpResult> List(
        HttpRequest request, KnownProblems problems, PublicAddress address) =>
        WantsHtml(request)
            ? Html(request, "Problems", string.Concat(problems.All.Select(problem =>
                $"<li><a href=\"{WebUtility.HtmlEncode(address.Base)}/problems/{problem.Code}\">{problem.Code}</a> "
                + $"({problem.Status}): {WebUtility.HtmlEncode(problem.Title)}</li>")))
            : TypedResults.Ok(new Page<ExplainedProblem>([.. problems.All], null));

    private static Results<Ok<ExplainedProblem>, ContentHttpResult, ProblemResult> Show(
        string code, HttpRequest request, KnownProblems problems) =>
        problems.Find(code) is not { } problem ? Problems.NotFound("problem code")
        : WantsHtml(request) ? Html(
            request,
            $"{problem.Status} {problem.Title}",
            $"<li>Code: <code>{problem.Code}</code></li><li>{WebUtility.HtmlEncode(problem.Meaning)}</li><li>"
            + $"{WebUtility.HtmlEncode(problem.Remedy)}</li>")
        : TypedResults.Ok(problem);

    private static bool WantsHtml(HttpRequest request)
    {
        request.HttpContext.Response.Headers.Vary = HeaderNames.Accept;
        return request.GetTypedHeaders().Accept is { } accept
            && accept.OrderByDescending(type => type.Quality ?? 1).FirstOrDefault()?.MediaType == "text/html";
    }

    private static ContentHttpResult Html(HttpRequest request, string title, string items)
    {
        // The page has text and links, and nothing that could run.
        request.HttpContext.Response.Headers.ContentSecurityPolicy =
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
        return TypedResults.Content(
            $"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title} - "
            + $"ClaimCheck</title><h1>{title}</h1><ul>{items}</ul></html>",
            "text/html",
            Encoding.UTF8);
    }
}
