using ClaimCheck.Contracts;
using Microsoft.AspNetCore.Http;

namespace ClaimCheck.Web;

/// <summary>A redirect to a link: 307, so that the method stays. Not the framework's redirect: that one logs where it leads.</summary>
public sealed class LinkRedirect(Link link) : IResult
{
    /// <summary>
    /// Whether a client that follows a redirect may send its key along. Many do, to another host too: then the storage would learn the key, and S3
    /// refuses a signed link that comes with one. Such callers get the bytes themselves.
    /// </summary>
    public static bool WouldCarryAKey(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.Headers.Authorization.Count > 0;
    }

    /// <summary>Writes it.</summary>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        httpContext.Response.Headers.Location = link.Reveal();
        httpContext.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
        return Task.CompletedTask;
    }
}
