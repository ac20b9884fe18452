using ClaimCheck.Contracts;
using ClaimCheck.Service.Http;
using ClaimCheck.Service.Staging;
using ClaimCheck.Web;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Service.Batches;

/// <summary>
/// Sends staged content through the service with ranges: a batch as one sequence of bytes (<see cref="DataLayout"/>), or one file
/// of it. Cut off within a second of a revocation.
/// </summary>
internal sealed class BatchStream(IStaging staging, ReaderWatch readers, IHostApplicationLifetime lifetime)
{
    public IResult Of(StreamedContent content) => new StreamResult(this, content);

    private sealed class StreamResult(BatchStream owner, StreamedContent content) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var length = content.Length;
            var etag = new EntityTagHeaderValue(content.ETag);

            var response = httpContext.Response;
            var typed = response.GetTypedHeaders();
            response.Headers.CacheControl = "no-store";
            response.Headers.AcceptRanges = "bytes";
            typed.ETag = etag;
            var requested = httpContext.Request.GetTypedHeaders();
            if (requested.IfMatch is { Count: > 0 } wanted && !wanted.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(etag, useStrongComparison: true)))
            {
                await Problems.Of(ProblemCodes.PreconditionFailed).ExecuteAsync(httpContext);
                return;
            }

            var (from, to) = (0L, length - 1);
            if (HttpMethods.IsGet(httpContext.Request.Method) && Range(requested, etag) is { } range)
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
            response.ContentType = content.Content.ContentType;
            response.Headers.ContentDisposition = $"attachment; filename=\"{content.Content.FileName}\"";
            response.ContentLength = to - from + 1;
            if (!HttpMethods.IsHead(httpContext.Request.Method))
                await owner.SendAsync(httpContext, content, from, to - from + 1);
        }

        // One range; for several, or with another If-Range, the whole is answered, as RFC 9110 allows.
        private static RangeItemHeaderValue? Range(RequestHeaders requested, EntityTagHeaderValue etag)
        {
            if (requested.Range is not { Unit.Value: "bytes", Ranges.Count: 1 } ranges)
                return null;
            if (requested.Headers.IfRange.Count > 0 && requested.IfRange?.EntityTag?.Compare(etag, useStrongComparison: true) != true)
                return null;
            return ranges.Ranges.Single();
        }
    }

    private async Task SendAsync(HttpContext context, StreamedContent content, long from, long length)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        var watch = readers.WatchAsync(content.Read, ended.Cancel, ended.Token);
        try
        {
            foreach (var run in content.Runs)
            {
                if (length == 0)
                    break;
                if (from >= run.Length)
                {
                    from -= run.Length;
                    continue;
                }

                var take = Math.Min(length, run.Length - from);
                await SendAsync(context, run, from, take, ended.Token);
                length -= take;
                from = 0;
            }
        }
        catch (StagingException) when (!context.Response.HasStarted)
        {
            throw; // nothing is sent yet: 503
        }
        catch (Exception e) when (e is OperationCanceledException or StagingException)
        {
            // The length was already sent: a cut connection tells the client that the content is incomplete.
            context.Abort();
        }
        finally
        {
            await ended.CancelAsync();
            await watch;
        }
    }

    private async Task SendAsync(HttpContext context, DataRun run, long from, long length, CancellationToken cancellationToken)
    {
        if (run.Key is null)
        {
            await context.Response.Body.WriteAsync(run.Known.Slice((int)from, (int)length), cancellationToken);
            return;
        }

        await using var bytes = await staging.OpenReadAsync(run.Key, run.Offset + from, length, cancellationToken);
        await bytes.CopyToAsync(context.Response.Body, 128 << 10, cancellationToken);
    }
}
