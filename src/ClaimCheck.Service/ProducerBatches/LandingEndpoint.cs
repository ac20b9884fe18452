namespace ClaimCheck.Service.ProducerBatches;

/// <summary>Receives files through links to write, where staging is a folder; as S3 does where it is a bucket.</summary>
internal static class LandingEndpoint
{
    /// <summary>Maps <c>PUT /staging/inbox/{batchId}/{file}</c>. No API key is needed: the link is the permission.</summary>
    public static IEndpointRouteBuilder MapLanding(this IEndpointRouteBuilder routes)
    {
        if (routes.ServiceProvider.GetService<FolderPaths>() is not null)
            routes.MapPut(StagedFileLinks.Root + StagingKeys.LandingRoot + "{batchId}/{ordinal}", PutFileAsync)
                .WithMetadata(new WholeQueryIsSigned()).ExcludeFromDescription();
        return routes;
    }

    private static async Task PutFileAsync(
        string batchId, string ordinal, HttpContext context, StagedFileLinks links, ProducerBatchStore store,
        FileReceiver receiver)
    {
        var problem = links.Verify($"{StagingKeys.LandingRoot}{batchId}/{ordinal}", context.Request.Query, HttpMethods.Put) switch
        {
            LinkVerdict.Invalid =>
                Problems.Of(ProblemCodes.LinkInvalid, "The link was not minted by this service, or was altered."),
            LinkVerdict.Expired =>
                Problems.Of(ProblemCodes.LinkExpired, "The link has expired: ask GET …/uploads for a new one."),
            _ => await ReceiveAsync(batchId, ordinal, context, store, receiver),
        };
        if (problem is not null)
            await problem.ExecuteAsync(context);
    }

    private static async Task<ProblemResult?> ReceiveAsync(
        string batchId, string ordinal, HttpContext context, ProducerBatchStore store, FileReceiver receiver)
    {
        if (!BatchId.TryParse(batchId, out var batch)
            || !int.TryParse(ordinal, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || await store.FindOpenFileAsync(batch, number, context.RequestAborted) is not { } file)
        {
            // The link was minted here: the file existed, and its batch has been published, or has ended.
            return Problems.Of(ProblemCodes.BatchNotOpen);
        }

        ProducerBatchEndpoints.LiftLimit(context, file);
        var (reception, detail) = await receiver.ReceiveAsync(
            batch, file, context.Request.Body, context.Request.ContentLength, context.RequestAborted);
        return reception switch
        {
            Reception.Received => null,
            Reception.Other => Problems.Of(ProblemCodes.UploadMismatch, detail),
            _ => Problems.Of(ProblemCodes.BatchNotOpen),
        };
    }
}
