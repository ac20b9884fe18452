using System.Security.Cryptography;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Hosting;
using ClaimCheck.Service.Staging;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Service.Links;

/// <summary>
/// <c>GET /v1/batches/{batchId}/data</c>: the stored files one after another, the CSV header once. It is one byte sequence with
/// one length and one ETag, so that ranges work over it. Cut off within a second of a revocation.
/// </summary>
internal sealed class BatchStream(
    IStaging staging, ExportStore store, CatalogSignals signals, IHostApplicationLifetime lifetime)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    public IResult Of(ReadableBatch batch) => new StreamResult(this, batch);

    // File N without its header, but the first with it.
    private sealed record Segment(string Key, long Skip, long Length);

    private sealed class StreamResult(BatchStream owner, ReadableBatch batch) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var segments = batch.Files.Select((file, at) =>
            {
                var skip = at == 0 ? 0 : file.HeaderBytes;
                return new Segment(StagingKeys.File(batch.Row.Batch, file.Attempt, file.Name), skip, file.Bytes - skip);
            }).ToList();
            var length = segments.Sum(segment => segment.Length);
            var etag = new EntityTagHeaderValue($"\"{ETag()}\"");

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

            var extension = (batch.Row.Format == "csv" ? ".csv" : ".ndjson") + (batch.Row.Compression == "gzip" ? ".gz" : "");
            response.ContentType = batch.Row.Compression == "gzip" ? "application/gzip" : batch.Row.Format == "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson";
            response.Headers.ContentDisposition = $"attachment; filename=\"{batch.Row.Dataset}-{batch.Row.Batch}{extension}\"";
            response.ContentLength = to - from + 1;
            if (!HttpMethods.IsHead(httpContext.Request.Method))
                await owner.SendAsync(httpContext, batch.Row, segments, from, to - from + 1);
        }

        private string ETag()
        {
            using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var file in batch.Files)
                digest.AppendData(file.Sha256);
            return Convert.ToHexStringLower(digest.GetHashAndReset());
        }

        // One range; of several, or with another If-Range, the whole is answered, as RFC 9110 allows.
        private static RangeItemHeaderValue? Range(RequestHeaders requested, EntityTagHeaderValue etag)
        {
            if (requested.Range is not { Unit.Value: "bytes", Ranges.Count: 1 } ranges)
                return null;
            if (requested.Headers.IfRange.Count > 0 && requested.IfRange?.EntityTag?.Compare(etag, useStrongComparison: true) != true)
                return null;
            return ranges.Ranges.Single();
        }
    }

    private async Task SendAsync(HttpContext context, ExportRow batch, List<Segment> segments, long from, long length)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        var watch = WatchAsync(batch, ended);
        try
        {
            foreach (var segment in segments)
            {
                if (length == 0)
                    break;
                if (from >= segment.Length)
                {
                    from -= segment.Length;
                    continue;
                }

                var take = Math.Min(length, segment.Length - from);
                await using (var bytes = await staging.OpenReadAsync(segment.Key, segment.Skip + from, take, ended.Token))
                    await bytes.CopyToAsync(context.Response.Body, 128 << 10, ended.Token);
                length -= take;
                from = 0;
            }
        }
        catch (StagingException) when (!context.Response.HasStarted)
        {
            throw; // nothing is promised yet: 503
        }
        catch (Exception e) when (e is OperationCanceledException or StagingException)
        {
            // The length was promised: a cut connection tells the client that this is not all.
            context.Abort();
        }
        finally
        {
            await ended.CancelAsync();
            await watch;
        }
    }

    // Cancels the stream when the batch is no longer ready.
    private async Task WatchAsync(ExportRow batch, CancellationTokenSource ended)
    {
        using var signal = signals.Listen(CatalogSignals.Of(batch.Batch));
        var caller = new Caller("", batch.Tenant);
        try
        {
            while (true)
            {
                await signal.WaitAsync(LookAgain, ended.Token);
                var row = await store.FindAsync(caller, batch.Batch, ended.Token);
                if (row?.EffectiveState != ExportState.Ready)
                {
                    await ended.CancelAsync();
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The stream has ended by itself.
        }
        catch (Exception e) when (CatalogErrors.IsTransient(e))
        {
            // Who can't see that the batch is still ready must not go on.
            await ended.CancelAsync();
        }
    }
}
