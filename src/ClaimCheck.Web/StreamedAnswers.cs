using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Web;

/// <summary>
/// Keeps proxies from holding back what is sent as it is made. nginx collects an answer before it passes it on, and an event stream would arrive
/// in lumps, or data of any size lie on the proxy's disk, after a revocation too.
/// </summary>
public static class StreamedAnswers
{
    /// <summary>Adds the step. Whatever is not a document of JSON or a page counts as a stream: new calls need not say so.</summary>
    public static IApplicationBuilder UseStreaming(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        context.Response.OnStarting(() =>
        {
            if (IsStream(context.Response.ContentType))
                DoNotBuffer(context.Response);
            return Task.CompletedTask;
        });
        return next(context);
    });

    /// <summary>For a file that is sent as it lies there, and may be JSON.</summary>
    public static void DoNotBuffer(HttpResponse response) => response.Headers["X-Accel-Buffering"] = "no";

    private static bool IsStream(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && !(type.SubType.Equals("json", StringComparison.OrdinalIgnoreCase)
            || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase)
            || type.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase));
}
