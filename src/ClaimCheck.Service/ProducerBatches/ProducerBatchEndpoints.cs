using Microsoft.AspNetCore.Http.Features;

namespace ClaimCheck.Service.ProducerBatches;

/// <summary>Batches of files that the producer already has: open, upload, publish. Cancelling is in <c>Revocation/</c>.</summary>
internal static class ProducerBatchEndpoints
{
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    public static IEndpointRouteBuilder MapProducerBatches(this IEndpointRouteBuilder routes)
    {
        var batches = routes.MapGroup("/v1/batches").WithTags("Uploads").ProducesProblems(401);
        batches.MapPost("", Open).WithName("OpenBatch").WithSummary("Opens a batch for files that the producer already has.")
            .Accepts<UploadRequest>("application/json")
            .ReadsHeader("Idempotency-Key", "The same key and meaning is the same batch.")
            .ProducesProblems(400, 409, 413, 415, 422, 503);
        batches.MapMethods("/{batchId}/uploads", GetAndHead, Get).WithName("GetUploads")
            .WithSummary("Its files, with fresh links to write them.").ProducesProblems(404, 503);
        batches.MapPut("/{batchId}/files/{name}", Receive).WithName("UploadFile")
            .WithSummary("Streams one file through the service.")
            .ProducesProblems(404, 409, 410, 422, 503);
        batches.MapPost("/{batchId}/files/{name}/multipart", BeginParts).WithName("BeginMultipartUpload")
            .WithSummary("Links to send one file in parts; again: fresh ones.")
            .ProducesProblems(404, 409, 410, 503);
        batches.MapPost("/{batchId}/files/{name}/multipart/complete", CompleteParts).WithName("CompleteMultipartUpload")
            .WithSummary("Puts the parts of a file together.")
            .ProducesProblems(404, 409, 410, 422, 503);
        batches.MapPost("/{batchId}/publish", Publish).WithName("PublishBatch")
            .WithSummary("Checks what has arrived, and announces it as an export.")
            .ReadsHeader("Prefer", "How long to wait for its end: wait=N, 60 seconds at most.")
            .ProducesProblems(404, 409, 410, 503);
        return routes;
    }

    private static async Task<Results<Created<UploadBatch>, Ok<UploadBatch>, ProblemResult>> Open(
        HttpContext context, Caller caller, DatasetCatalog datasets, ProducerBatchStore store, ProducerBatchViews views,
        ProducerBatchesOptions options, CancellationToken cancellationToken)
    {
        if (IdempotencyKey.Read(context.Request, out var key) is { } badKey)
            return badKey;
        var (body, refusal) = await JsonBody.ReadAsync(context.Request, cancellationToken);
        if (refusal is not null)
            return refusal;
        var (upload, errors) = ProducerBatchReader.Read(body!.Value, datasets.Current, options.MaxBatchBytes);
        if (upload is null)
            return Problems.Invalid(errors);
        var meaning = ProducerBatchStore.Meaning(body.Value);
        if (key is not null && await store.FindByKeyAsync(caller, key, cancellationToken) is { } before)
            return await RepeatAsync(before);

        var own = upload.Own;
        if (upload.Defined is { } defined)
        {
            var (frozen, unavailable) = await defined.FreezeAsync(cancellationToken);
            if (unavailable is not null)
                return Problems.Of(Refusals.Unavailable(unavailable));
            // The order of the records is the producer's choice.
            own = frozen! with { Origin = RecordOrigin.Producer, OrderedBy = null };
        }

        var created = await store.OpenAsync(
            caller, new(own!, upload.Terms) { State = ExportState.Open }, upload.Files, key, meaning, cancellationToken);
        if (created.New is not { } row)
            return await RepeatAsync(created.Known!);
        var opened = await store.FindAsync(row, cancellationToken);
        return TypedResults.Created(ProducerBatchViews.PathOf(row.Batch), await views.ShowAsync(opened!, cancellationToken));

        async Task<Results<Created<UploadBatch>, Ok<UploadBatch>, ProblemResult>> RepeatAsync(KnownKey known) =>
            known.Meaning.AsSpan().SequenceEqual(meaning)
            && await store.FindExportAsync(caller, known.ExportId, cancellationToken) is { } export
            && await store.FindAsync(export, cancellationToken) is { } batch
                ? TypedResults.Ok(await views.ShowAsync(batch, cancellationToken))
                : Problems.Of(ProblemCodes.IdempotencyKeyReused);
    }

    private static async Task<Results<Ok<UploadBatch>, ProblemResult>> Get(
        string batchId, Caller caller, ProducerBatchStore store, ProducerBatchViews views, CancellationToken cancellationToken) =>
        BatchId.TryParse(batchId, out var id) && await store.FindAsync(caller, id, cancellationToken) is { } batch
            ? TypedResults.Ok(await views.ShowAsync(batch, cancellationToken))
            : Problems.NotFound("batch that is uploaded");

    private static async Task<Results<NoContent, ProblemResult>> Receive(
        string batchId, string name, HttpContext context, Caller caller, ProducerBatchStore store, FileReceiver receiver,
        CancellationToken cancellationToken)
    {
        var (batch, file, refusal) = await FindOpenAsync(batchId, name, caller, store, cancellationToken);
        if (refusal is not null)
            return refusal;
        LiftLimit(context, file!);
        var (reception, detail) = await receiver.ReceiveAsync(
            batch!.Export.Batch, file!, context.Request.Body, context.Request.ContentLength, cancellationToken);
        return reception switch
        {
            Reception.Received => TypedResults.NoContent(),
            Reception.Other => Mismatch(file!, detail!),
            _ => Problems.Of(ProblemCodes.BatchNotOpen),
        };
    }

    private static async Task<Results<Ok<MultipartUpload>, ProblemResult>> BeginParts(
        string batchId, string name, Caller caller, ProducerBatchStore store, MultipartFiles parts, ProducerBatchViews views,
        CancellationToken cancellationToken)
    {
        var (batch, file, refusal) = await FindOpenAsync(batchId, name, caller, store, cancellationToken);
        if (refusal is not null)
            return refusal;
        if (!parts.AreTaken)
            return Problems.Of(ProblemCodes.MultipartNotOffered);
        if (file!.ReceivedKey is not null)
            return Problems.Of(ProblemCodes.FileReceived);
        return await parts.BeginAsync(batch!.Export.Batch, file!, cancellationToken) is { } upload
            && await views.ShowPartsAsync(batch, file!, upload, parts.PartBytes(file!), cancellationToken) is { } shown
                ? TypedResults.Ok(shown)
                : Problems.Of(ProblemCodes.BatchNotOpen);
    }

    private static async Task<Results<NoContent, ProblemResult>> CompleteParts(
        string batchId, string name, Caller caller, ProducerBatchStore store, MultipartFiles parts,
        CancellationToken cancellationToken)
    {
        var (batch, file, refusal) = await FindOpenAsync(batchId, name, caller, store, cancellationToken);
        if (refusal is not null)
            return refusal;
        if (!parts.AreTaken)
            return Problems.Of(ProblemCodes.MultipartNotOffered);
        return file!.ReceivedKey is null && await parts.CompleteAsync(batch!.Export.Batch, file, cancellationToken) is { } wrong
            ? Mismatch(file, wrong)
            : TypedResults.NoContent();
    }

    private static async Task<Results<Accepted<Export>, Ok<Export>, ProblemResult>> Publish(
        string batchId,
        HttpContext context,
        Caller caller,
        ProducerBatchStore store,
        BatchPublisher publisher,
        ExportWaiting waiting,
        ExportViews views,
        CancellationToken cancellationToken)
    {
        var preferred = Waiting.Preferred(context.Request);
        if (!BatchId.TryParse(batchId, out var id) || await store.FindAsync(caller, id, cancellationToken) is not { } batch)
            return Problems.NotFound("batch that is uploaded");
        if (batch.IsLate)
            return Problems.Of(Refusals.Gone(ExportState.Cancelled));
        if (batch.Export.EffectiveState is ExportState.Cancelled or ExportState.Revoked or ExportState.Expired)
            return Problems.Of(Refusals.Gone(batch.Export.EffectiveState));
        var wrong = await publisher.PublishAsync(batch, cancellationToken);
        if (wrong.Count > 0)
            return Problems.Of(ProblemCodes.UploadIncomplete, errors: wrong);

        // Its present state, by whichever request it was published; and after a wait, where the caller asked for one.
        var row = await waiting.UntilSettledAsync(caller, batch.Export, Waiting.Apply(context, preferred), cancellationToken);
        if (row.EffectiveState == ExportState.Cancelled)
            return Problems.Of(Refusals.Gone(row.EffectiveState));
        if (ExportState.IsSettled(row.State))
            return TypedResults.Ok(views.Show(row));
        Waiting.AskAgain(context);
        return TypedResults.Accepted(ExportViews.PathOf(row.ExportId), views.Show(row));
    }

    private static async Task<(ProducerBatch? Batch, ProducerFile? File, ProblemResult? Refusal)> FindOpenAsync(
        string batchId, string name, Caller caller, ProducerBatchStore store, CancellationToken cancellationToken)
    {
        if (!BatchId.TryParse(batchId, out var id) || await store.FindAsync(caller, id, cancellationToken) is not { } batch)
            return (null, null, Problems.NotFound("batch that is uploaded"));
        if (batch.Files.FirstOrDefault(file => file.Name == name) is not { } file)
            return (null, null, Problems.NotFound("file of this batch"));
        if (batch.IsLate || ExportState.IsEnd(batch.Export.EffectiveState))
            return (null, null, Problems.Of(Refusals.Gone(batch.IsLate ? ExportState.Cancelled : batch.Export.EffectiveState)));
        return batch.IsOpen ? (batch, file, null) : (null, null, Problems.Of(ProblemCodes.BatchNotOpen));
    }

    /// <summary>The announced size is the limit: the receiver stops there. A body that announces more is not read at
    /// all.</summary>
    internal static void LiftLimit(HttpContext context, ProducerFile file)
    {
        if (!(context.Request.ContentLength > file.Bytes)
            && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }
    }

    private static ProblemResult Mismatch(ProducerFile file, string detail) => Problems.Of(
        ProblemCodes.UploadMismatch,
        string.Create(CultureInfo.InvariantCulture, $"{file.Name} is not the file that was announced: see errors."),
        new Dictionary<string, string[]>(StringComparer.Ordinal) { [$"files.{file.Name}"] = [detail] });
}
