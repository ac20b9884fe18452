using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace ClaimCheck.Import.Arriving;

/// <summary>
/// A watched prefix of a bucket. An object, identified by its key and ETag, is taken by writing a marker that does not exist yet,
/// <c>{prefix}.claimcheck/{name}@{etag}.json</c>, which only one watcher can do. In the end the marker has the outcome.
/// Objects stay unchanged.
/// </summary>
internal sealed class S3Source(IAmazonS3 client, string bucket, string prefix, ArrivalOptions options) : IWatchedSource
{
    private const string Markers = ".claimcheck/";
    private const string NoTag = "at-";
    private const int LongestMarker = 64 << 10; // a marker that is longer is cut off, so it is not JSON and belongs to no run
    private const int MostObjects = 1_000_000; // all keys of a prefix are in memory at once

    public string Origin => RunOrigin.S3;

    public Task<Sighting> LookAsync(CancellationToken cancellationToken) => AskAsync("list", async () =>
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var marker in ListAsync(prefix + Markers, cancellationToken))
            known.Add(marker.Key);
        var objects = new List<S3Object>();
        await foreach (var item in ListAsync(prefix, cancellationToken))
        {
            if (!item.Key.StartsWith(prefix + Markers, StringComparison.Ordinal))
                objects.Add(item);
        }
        var keys = options.Complete == "marker" ? objects.Select(item => item.Key).ToHashSet(StringComparer.Ordinal) : null;
        var wanted = objects.Where(item => options.Wants(item.Key[Math.Max(prefix.Length, item.Key.LastIndexOf('/') + 1)..])
            && !known.Contains(MarkerOf(item))).ToList();
        var complete = wanted.Where(item => keys?.Contains(item.Key + options.Marker) ?? true);
        return new Sighting(
            [.. complete.Select(item =>
                new Arrival(item.Key[(item.Key.LastIndexOf('/') + 1)..], $"{S3Link.Scheme}{bucket}/{item.Key}", MarkerOf(item)))],
            wanted.TrueForAll(item => keys?.Contains(item.Key + options.Marker) ?? true),
            []);
    }, cancellationToken);

    public Task ProveAsync(CancellationToken cancellationToken) => AskAsync("try its conditional writes out", async () =>
    {
        await new ConditionalWrites(client, bucket).ProveAsync($"{prefix}{Markers}probe-{Guid.NewGuid():N}", cancellationToken);
        return true;
    }, cancellationToken);

    public string InputFor(Arrival arrival, RunDirectory directory) => directory.Copy;

    public bool Owns(RunDocument run) =>
        run.Origin == RunOrigin.S3 && run.Source.StartsWith($"{S3Link.Scheme}{bucket}/{prefix}", StringComparison.Ordinal);

    public Task<bool> TakeAsync(RunDocument run, RunDirectory directory, CancellationToken cancellationToken) =>
        AskAsync("take", async () =>
        {
            if (!await MarkAsync(run, cancellationToken))
                return false;
            if (File.Exists(run.Input))
                return true;
            var marker = run.Marker!;
            var known = marker[(marker.LastIndexOf('@') + 1)..^".json".Length];
            try
            {
                using var answer = await client.GetObjectAsync(
                    new GetObjectRequest
                    {
                        BucketName = bucket,
                        Key = KeyOf(run),
                        EtagToMatch = IsTag(known) ? $"\"{known}\"" : null,
                    },
                    cancellationToken);
                // Some stores ignore the condition.
                if (IsTag(known) && answer.ETag?.Trim('"') is { Length: > 0 } came && came != known)
                    throw new ImportException(
                        ImportCodes.FileMissing, $"The object {run.Source} was replaced before it was fetched.");
                Inspection.CheckLength(answer.ContentLength, run.Limits.Reading);
                await SaveAsync(answer, run.Input, cancellationToken);
                return true;
            }
            catch (AmazonServiceException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.PreconditionFailed)
            {
                throw new ImportException(
                    ImportCodes.FileMissing, $"The object {run.Source} was replaced or removed before it was fetched.", e);
            }
        }, cancellationToken);

    public async Task SettleAsync(RunDocument run, ImportRun outcome, RunDirectory directory, CancellationToken cancellationToken)
    {
        await AskAsync("mark", async () =>
        {
            await client.PutObjectAsync(new PutObjectRequest
            {
                BucketName = bucket,
                Key = run.Marker,
                ContentType = "application/json",
                ContentBody = JsonSerializer.Serialize(
                    new { run.RunId, run.State, outcome.Counts, run.Failure, outcome.StartedAt, outcome.EndedAt },
                    ClaimCheckJson.Options),
            }, cancellationToken);
            return true;
        }, cancellationToken);
        if (run.State != RunState.Cancelled)
            File.Delete(run.Input);
    }

    private async Task<bool> MarkAsync(RunDocument run, CancellationToken cancellationToken)
    {
        try
        {
            await client.PutObjectAsync(new PutObjectRequest
            {
                BucketName = bucket,
                Key = run.Marker,
                IfNoneMatch = "*",
                ContentType = "application/json",
                ContentBody = JsonSerializer.Serialize(new { run.RunId, run.State, run.StartedAt }, ClaimCheckJson.Options),
            }, cancellationToken);
            return true;
        }
        // 409: another process is writing it.
        catch (AmazonServiceException e) when (e.StatusCode is HttpStatusCode.PreconditionFailed or HttpStatusCode.Conflict)
        {
            // It may be our own, from before a crash, or of a try whose answer was lost.
            return await OwnerAsync(run, cancellationToken) == run.RunId;
        }
    }

    private async Task<string?> OwnerAsync(RunDocument run, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetObjectAsync(bucket, run.Marker, cancellationToken);
            // Everybody who may write to the bucket may write markers.
            var content = new byte[LongestMarker];
            var length = await answer.ResponseStream.ReadAtLeastAsync(
                content, content.Length, throwOnEndOfStream: false, cancellationToken);
            using var marker = JsonDocument.Parse(content.AsMemory(0, length));
            return marker.RootElement.TryGetProperty("runId", out var id) ? id.GetString() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException
            or AmazonServiceException { StatusCode: HttpStatusCode.NotFound })
        {
            return null;
        }
    }

    private static async Task SaveAsync(GetObjectResponse answer, string path, CancellationToken cancellationToken)
    {
        var next = path + ".partial";
        await using (var file = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            var buffer = new byte[128 << 10];
            while (file.Position <= answer.ContentLength
                && await answer.ResponseStream.ReadAsync(buffer, cancellationToken) is > 0 and var read)
                await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            if (file.Position != answer.ContentLength)
                throw new IOException($"{file.Position} of {answer.ContentLength} bytes were received.");
            file.Flush(flushToDisk: true);
        }
        Durable.Put(next, path);
    }

    private async IAsyncEnumerable<S3Object> ListAsync(
        string under, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request { BucketName = bucket, Prefix = under };
        var objects = 0;
        while (true)
        {
            var page = await client.ListObjectsV2Async(request, cancellationToken);
            foreach (var item in page.S3Objects ?? [])
                yield return item;
            if ((objects += page.S3Objects?.Count ?? 0) > MostObjects)
                throw new IOException($"There are more than {MostObjects} objects below {S3Link.Scheme}{bucket}/{under}: watch a "
                    + "narrower prefix, or move away what is imported.");
            if (page.IsTruncated != true)
                yield break;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    private string MarkerOf(S3Object item) => $"{prefix}{Markers}{item.Key[prefix.Length..]}@{ContentOf(item)}.json";

    // Without an ETag, size and time have to distinguish the content.
    private static string ContentOf(S3Object item) =>
        item.ETag?.Trim('"') is { Length: > 0 } etag ? etag : $"{NoTag}{item.Size}-{item.LastModified?.ToUniversalTime().Ticks}";

    private static bool IsTag(string content) => !content.StartsWith(NoTag, StringComparison.Ordinal);

    private string KeyOf(RunDocument run) => run.Source[(S3Link.Scheme.Length + bucket.Length + 1)..];

    // The bucket may come back, and permissions may be granted.
    private async Task<T> AskAsync<T>(string what, Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        try
        {
            return await ask();
        }
        catch (Exception e) when (e is not IOException && S3Failure.IsOf(e, cancellationToken))
        {
            throw new IOException(
                $"S3 could not {what} in bucket {bucket}: {S3Failure.Of(e, "the source", "the region").Sentence}", e);
        }
    }
}
