using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Web;

/// <summary>Content that never changes and of which everything but the bytes is known beforehand: sent completely or in one range
/// (RFC 9110, 14), as their ETag allows.</summary>
/// <param name="length">How many there are.</param>
/// <param name="etag">Strong, in quotes.</param>
/// <param name="contentType">The content type of all of them.</param>
/// <param name="fileName">The name to keep them under.</param>
/// <param name="sendAsync">Sends a number of bytes, from a position on.</param>
public sealed class RangedAnswer(
    long length, string etag, string contentType, string fileName, Func<HttpContext, long, long, Task> sendAsync) : IResult
{
    private readonly EntityTagHeaderValue tag = new(etag);

    /// <summary>Sends the requested content, or refuses the request.</summary>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        var response = httpContext.Response;
        var typed = response.GetTypedHeaders();
        response.Headers.CacheControl = "no-store";
        response.Headers.AcceptRanges = "bytes";
        typed.ETag = tag;
        var requested = httpContext.Request.GetTypedHeaders();
        if (requested.IfMatch is { Count: > 0 } wanted
            && !wanted.Any(each => each.Equals(EntityTagHeaderValue.Any) || each.Compare(tag, useStrongComparison: true)))
        {
            await Problems.Of(ProblemCodes.PreconditionFailed).ExecuteAsync(httpContext);
            return;
        }

        var (from, to) = (0L, length - 1);
        if (HttpMethods.IsGet(httpContext.Request.Method) && RangeOf(requested) is { } range)
        {
            (from, to) = range switch
            {
                { From: { } first, To: var last } => (first, Math.Min(last ?? length - 1, length - 1)),
                { To: { } suffix } => (Math.Max(0, length - suffix), suffix == 0 ? -1 : length - 1),
                _ => (0, length - 1),
            };
            if (from > to)
            {
                typed.ContentRange = new(length);
                await Problems.Of(ProblemCodes.RangeNotSatisfiable).ExecuteAsync(httpContext);
                return;
            }

            typed.ContentRange = new(from, to, length);
            response.StatusCode = StatusCodes.Status206PartialContent;
        }

        StreamedAnswers.DoNotBuffer(response);
        response.ContentType = contentType;
        response.Headers.ContentDisposition = $"attachment; filename=\"{fileName}\"";
        response.ContentLength = to - from + 1;
        if (!HttpMethods.IsHead(httpContext.Request.Method))
            await sendAsync(httpContext, from, to - from + 1);
    }

    // One range; for several, or with another If-Range, the whole is answered, as RFC 9110 allows.
    private RangeItemHeaderValue? RangeOf(RequestHeaders requested)
    {
        if (requested.Range is not { Unit.Value: "bytes", Ranges.Count: 1 } ranges)
            return null;
        if (requested.Headers.IfRange.Count > 0 && requested.IfRange?.EntityTag?.Compare(tag, useStrongComparison: true) != true)
            return null;
        return ranges.Ranges.Single();
    }
}
