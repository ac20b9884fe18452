using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Batches;

/// <summary>Redirects to links.</summary>
internal static class Redirects
{
    /// <summary>
    /// Whether a client that follows a redirect may send its key along. Many do, to another host too: then the storage would learn the key, and S3
    /// refuses a signed link that comes with one. Such callers get the bytes themselves.
    /// </summary>
    public static bool WouldCarryAKey(HttpRequest request) => request.Headers.Authorization.Count > 0;

    /// <summary>307, so that the method stays. Not the framework's redirect: that one logs where it leads.</summary>
    public static IResult To(Link link, HttpContext context)
    {
        context.Response.Headers.Location = link.Reveal();
        return TypedResults.StatusCode(StatusCodes.Status307TemporaryRedirect);
    }
}
