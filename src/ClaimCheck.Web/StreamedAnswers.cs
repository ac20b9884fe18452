using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Web;

/// <summary>
/// Keeps proxies from buffering streamed answers. nginx collects an answer before it passes it on: an event stream would arrive
/// in bursts, and data of any size would be stored on the proxy's disk, even after a revocation.
/// </summary>
public static class StreamedAnswers
{
    /// <summary>
    /// Adds the step. Everything but JSON documents and pages counts as a stream: new calls need not declare it.
    /// </summary>
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

    /// <summary>For a stored file that is sent unchanged, and may be JSON.</summary>
    public static void DoNotBuffer(HttpResponse response) => response.Headers["X-Accel-Buffering"] = "no";

    private static bool IsStream(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && !(type.SubType.Equals("json", StringComparison.OrdinalIgnoreCase)
            || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase)
            || type.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase));
}
