using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Batches;

/// <summary>Redirects to links.</summary>
internal static class Redirects
{
    /// <summary>
    /// Whether a client that follows a redirect would send its key along. Many do, to another host too: then the storage would
    /// learn the key, and S3 refuses a signed link that comes with one. Such callers get the bytes themselves.
    /// </summary>
    public static bool WouldCarryAKey(HttpRequest request) => request.Headers.Authorization.Count > 0;

    /// <summary>307, so that the method is kept. Not the framework's redirect, which logs its target.</summary>
    public static IResult To(Link link, HttpContext context)
    {
        context.Response.Headers.Location = link.Reveal();
        return TypedResults.StatusCode(StatusCodes.Status307TemporaryRedirect);
    }
}
