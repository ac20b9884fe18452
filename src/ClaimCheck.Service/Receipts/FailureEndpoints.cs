using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Service.Receipts;

/// <summary>The records that a consumer could not process: listed by POST, read back by GET.</summary>
internal static class FailureEndpoints
{
    private const string ListCall = "failures";
    private const string Lines = "application/x-ndjson";
    private const int MostInMemory = 64 << 10;
    private const long LargestBody = 4L << 30; // each record has a limit of its own, and so has their number
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(5);

    public static IEndpointRouteBuilder MapFailures(this IEndpointRouteBuilder routes)
    {
        var failures = routes.MapGroup("/v1/batches/{batchId}/receipts/{consumer}/failures").WithTags("Receipts")
            .ProducesProblems(400, 401, 404, 410);
        failures.MapPost("", Post).WithName("AddFailures")
            .WithSummary("Adds failed records, merged by key; the whole body is accepted, or nothing.")
            .Accepts<IReadOnlyList<RecordFailure>>("application/json", Lines).ProducesProblems(403, 409, 413, 415, 422, 503);
        failures.MapMethods("", [HttpMethods.Get, HttpMethods.Head], List).WithName("ListFailures")
            .WithSummary("The failed records, in pages, or all of them as application/x-ndjson.")
            .ReadsQuery("class", "transient or terminal; both by default.").ReadsPaging()
            .Produces<Page<RecordFailure>>().Produces(200, contentType: Lines);
        return routes;
    }

    private static async Task<Results<Ok<Receipt>, ProblemResult>> Post(
        string batchId, string consumer, HttpContext context, Caller caller, FailureIntake intake, TemporaryFiles temporary,
        ReceiptViews views, CancellationToken cancellationToken)
    {
        if (!BatchId.TryParse(batchId, out var id))
            return Problems.NotFound("batch");
        if (!Caller.IsConsumer(consumer))
            return Problems.NotFound("consumer");
        if (IsArray(context.Request) is not { } isArray)
            return Problems.Of(ProblemCodes.UnsupportedMediaType, $"Send application/json, an array, or {Lines}.");
        if (await intake.RefusalAsync(caller, id, consumer, cancellationToken) is { } early)
            return Problems.Of(early);
        Stream body;
        try
        {
            body = await ReceiveAsync(context, temporary, cancellationToken);
        }
        catch (IOException e) when (e is not BadHttpRequestException && !context.RequestAborted.IsCancellationRequested)
        {
            return Problems.Of(ProblemCodes.StagingUnavailable,
                "The body could not be stored: there may be no space for temporary files.", retryAfter: AskAgain);
        }

        await using (body)
            return await TakeAsync(id, consumer, body, isArray, caller, intake, views, cancellationToken);
    }

    private static async Task<Results<Ok<Receipt>, ProblemResult>> TakeAsync(
        BatchId id, string consumer, Stream body, bool isArray, Caller caller, FailureIntake intake, ReceiptViews views,
        CancellationToken cancellationToken)
    {
        var reader = new FailureReader(PipeReader.Create(body, new StreamPipeReaderOptions(leaveOpen: true)));
        var failures = isArray ? reader.ReadArrayAsync(cancellationToken) : reader.ReadLinesAsync(cancellationToken);
        try
        {
            var (batch, refusal) = await intake.TakeAsync(caller, id, consumer, failures, cancellationToken);
            if (refusal is not null)
                return Problems.Of(refusal);
            return TypedResults.Ok(await views.ShowAsync(batch!, consumer, cancellationToken));
        }
        catch (BadFailuresException e)
        {
            return Problems.Invalid(new Dictionary<string, string[]> { [e.Field] = [e.Reason] });
        }
        catch (JsonException)
        {
            return Problems.Of(
                ProblemCodes.MalformedJson,
                $"The body is not a well-formed JSON array; {reader.Count} records of it could be read, and none is accepted.");
        }
    }

    private static async Task<IResult> List(
        string batchId, string consumer, HttpContext context, Caller caller, ExportStore store, ReceiptViews views,
        FailureLists lists, CancellationToken cancellationToken)
    {
        var failureClass = context.Request.Query["class"].ToString() is { Length: > 0 } wanted ? wanted : null;
        if (failureClass is not null && !FailureClass.All.Contains(failureClass, StringComparer.Ordinal))
            return Problems.Of(ProblemCodes.InvalidParameter, $"class must be one of {string.Join(", ", FailureClass.All)}.");
        if (Paging.Read(context.Request, ListCall, out var badPage) is not { } paging)
            return badPage!;
        var after = Array.Empty<byte>();
        if (paging.After is not null && !TryHex(paging.After, out after))
            return Problems.Of(ProblemCodes.InvalidCursor);
        if (!BatchId.TryParse(batchId, out var id) || await store.FindAsync(caller, id, cancellationToken) is not { } batch)
            return Problems.NotFound("batch");
        if (!Caller.IsConsumer(consumer) || await views.ShowAsync(batch, consumer, cancellationToken) is null)
            return Problems.NotFound("receipt");
        // Record keys are data of the batch, and are deleted with it.
        if (ExportState.IsEnd(batch.EffectiveState))
            return Problems.Of(Refusals.Gone(batch.EffectiveState));

        if (context.Request.GetTypedHeaders().Accept
            .Any(type => type.MediaType.Equals(Lines, StringComparison.OrdinalIgnoreCase)))
            return new LinesResult(
                lists.AllAsync(id, consumer, failureClass, cancellationToken),
                $"{batch.Dataset}-{id}-{consumer}-failures.ndjson");
        var rows = await lists.PageAsync(id, consumer, failureClass, after, paging.WithNext, cancellationToken);
        return TypedResults.Ok(paging.Of(rows, row => row.ToContract(), row => Convert.ToHexStringLower(row.Digest)));
    }

    // The whole body, before anything of the catalog is locked: a caller sends as slowly as it likes.
    private static async Task<Stream> ReceiveAsync(
        HttpContext context, TemporaryFiles temporary, CancellationToken cancellationToken)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = LargestBody;
        Stream body = context.Request.ContentLength <= MostInMemory ? new MemoryStream() : temporary.Open();
        try
        {
            await context.Request.Body.CopyToAsync(body, cancellationToken);
            body.Position = 0;
            return body;
        }
        catch
        {
            await body.DisposeAsync();
            throw;
        }
    }

    private static bool? IsArray(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || (type.Charset.HasValue
                && !HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
        {
            return null;
        }

        return type.MediaType.Value?.ToLowerInvariant() switch
        {
            "application/json" => true,
            Lines or "application/ndjson" => false,
            _ => null,
        };
    }

    private static bool TryHex(string text, out byte[] bytes)
    {
        bytes = new byte[text.Length / 2];
        return Convert.FromHexString(text, bytes, out _, out var written) == System.Buffers.OperationStatus.Done
            && written == bytes.Length;
    }

    private sealed class LinesResult(IAsyncEnumerable<RecordFailure> failures, string fileName) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.ContentType = Lines;
            response.Headers.ContentDisposition = $"attachment; filename=\"{fileName}\"";
            if (HttpMethods.IsHead(httpContext.Request.Method))
                return;
            await foreach (var failure in failures)
            {
                await response.Body.WriteAsync(
                    JsonSerializer.SerializeToUtf8Bytes(failure, ClaimCheckJson.Options), httpContext.RequestAborted);
                await response.Body.WriteAsync("\n"u8.ToArray(), httpContext.RequestAborted);
            }
        }
    }
}
