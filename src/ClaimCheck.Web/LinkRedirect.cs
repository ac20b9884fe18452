namespace ClaimCheck.Web;

/// <summary>A redirect to a link: 307, so that the method is kept. Not the framework's redirect, which logs its target.</summary>
public sealed class LinkRedirect(Link link) : IResult
{
    /// <summary>
    /// Whether a client that follows a redirect would send its key along. Many do, to another host too: then the storage would
    /// learn the key, and S3 refuses a signed link that comes with one. Such callers get the bytes themselves.
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
