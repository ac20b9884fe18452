using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Service.Staging;

/// <summary>Serves the folder's files to the holders of links, as S3 would: ranges, a strong ETag, nothing cached, nothing
/// decompressed.</summary>
internal static class StagedFilesEndpoint
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ManifestTakes = TimeSpan.FromSeconds(5);

    /// <summary>Maps <c>GET</c> and <c>HEAD /staging/{key}</c>, where staging is a folder. No API key is needed: the link is the
    /// permission.</summary>
    public static IEndpointRouteBuilder MapStagedFiles(this IEndpointRouteBuilder routes)
    {
        if (routes.ServiceProvider.GetService<FolderPaths>() is not null)
            routes.MapMethods(StagedFileLinks.Root + "{**key}", [HttpMethods.Get, HttpMethods.Head], GetFileAsync)
                .WithMetadata(new WholeQueryIsSigned()).ExcludeFromDescription();
        return routes;
    }

    private static async Task GetFileAsync(
        string? key, HttpContext context, FolderPaths paths, StagedFileLinks links, BatchStates states, ReaderWatch readers,
        CatalogSignals signals, TimeProvider time)
    {
        context.Response.Headers.CacheControl = "no-store";
        switch (links.Verify(key ?? "", context.Request.Query, context.Request.Method))
        {
            case LinkVerdict.Invalid:
                await Problems.Of(ProblemCodes.LinkInvalid, "The link was not minted by this service, or was altered.")
                    .ExecuteAsync(context);
                return;
            case LinkVerdict.Expired:
                await Problems.Of(ProblemCodes.LinkExpired, "The link has expired: ask the claim URL for a new one.")
                    .ExecuteAsync(context);
                return;
        }

        try
        {
            if (!FolderPaths.IsKey(key!) || !await states.MayReadAsync(key!, context.RequestAborted)
                || await FindAsync(key!, paths, states, signals, time, context.RequestAborted) is not { } file)
            {
                await Problems.Of(ProblemCodes.NotFound, "The file does not exist.").ExecuteAsync(context);
                return;
            }
            await SendAsync(context, key!, file, readers);
        }
        catch (NpgsqlException) when (!context.Response.HasStarted)
        {
            context.Response.Headers.RetryAfter = "5";
            await Problems.Of(ProblemCodes.CatalogUnavailable, "The service's database does not answer: try again.")
                .ExecuteAsync(context);
        }
    }

    // The manifest follows ready a moment later. Its link, sent with the 202, works from ready on: requests in between wait.
    private static async Task<FileStream?> FindAsync(
        string key, FolderPaths paths, BatchStates states, CatalogSignals signals, TimeProvider time,
        CancellationToken cancellationToken)
    {
        if (Open(paths.Of(key)) is { } there)
            return there;
        if (StagingKeys.BatchOf(key) is not { } batch || key != StagingKeys.Manifest(batch))
            return null;
        using var signal = signals.Listen(CatalogSignals.Feed); // it is announced next
        var began = time.GetTimestamp();
        while (await states.IsReadyAsync(batch, cancellationToken))
        {
            if (Open(paths.Of(key)) is { } written)
                return written;
            if (time.GetElapsedTime(began) >= ManifestTakes)
                break;
            await signal.WaitAsync(LookAgainAfter, cancellationToken);
        }

        return null;
    }

    private static async Task SendAsync(HttpContext context, string key, FileStream file, ReaderWatch readers)
    {
        var (modified, length) = (File.GetLastWriteTimeUtc(file.SafeFileHandle), file.Length);
        var name = key[(key.LastIndexOf('/') + 1)..];
        // It disposes the file, and handles If-Match, If-None-Match, If-Range and Range; several ranges get a complete answer.
        var answer = TypedResults.Stream(
            file,
            StagedContent.Of(name).ContentType,
            name,
            new DateTimeOffset(modified, TimeSpan.Zero),
            new EntityTagHeaderValue(string.Create(CultureInfo.InvariantCulture, $"\"{length:x}-{modified.Ticks:x}\"")),
            enableRangeProcessing: true);
        context.Response.Headers.AcceptRanges = "bytes";
        StreamedAnswers.DoNotBuffer(context.Response);
        // It would treat any unit as bytes; for unknown units, RFC 9110 says to ignore the header.
        // A condition that can't be parsed does not match: the whole file is the answer.
        if (!context.Request.Headers.Range.ToString().StartsWith("bytes=", StringComparison.OrdinalIgnoreCase)
            || (context.Request.Headers.IfRange.Count > 0 && context.Request.GetTypedHeaders().IfRange is null))
        {
            context.Request.Headers.Range = default;
        }

        using var sent = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        // Beside the copying, which may wait for a slow reader: a revoked batch must not be read any further.
        var watching = readers.WatchAsync(Readable.Of(key)!.Value, context.Abort, sent.Token);
        try
        {
            await answer.ExecuteAsync(context);
        }
        finally
        {
            await sent.CancelAsync();
            await watching;
        }

        if (context.Response.HasStarted || context.Response.StatusCode is not (412 or 416))
            return;
        context.Response.ContentLength = null;
        if (context.Response.StatusCode == 412)
            await Problems.Of(ProblemCodes.PreconditionFailed, "The file does not match the request's condition.")
                .ExecuteAsync(context);
        else
            await Problems.Of(ProblemCodes.RangeNotSatisfiable, $"The file has {length} bytes.").ExecuteAsync(context);
    }

    private static FileStream? Open(string path)
    {
        try
        {
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.Open,
                Access = FileAccess.Read,
                Share = FileShare.ReadWrite | FileShare.Delete,
                BufferSize = 0,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
            });
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return null; // also where it names a folder
        }
    }
}
