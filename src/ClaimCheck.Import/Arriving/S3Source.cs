using System.IO.Enumeration;
using System.Net;
using System.Text.Json;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using ClaimCheck.Contracts;
using ClaimCheck.Import.Reading;
using ClaimCheck.Import.Running;

namespace ClaimCheck.Import.Arriving;

/// <summary>
/// A watched prefix of a bucket. An object, told by its key and ETag, is taken by writing a marker that does not exist yet,
/// <c>{prefix}.claimcheck/{name}@{etag}.json</c>, which one watcher alone can do. The marker says in the end what became of it.
/// Objects stay as they are.
/// </summary>
internal sealed class S3Source(IAmazonS3 client, string bucket, string prefix, ArrivalOptions options) : IWatchedSource
{
    private const string Markers = ".claimcheck/";

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
        var wanted = objects.Where(item => IsWanted(item.Key[prefix.Length..]) && !known.Contains(MarkerOf(item))).ToList();
        var complete = wanted.Where(item => keys?.Contains(item.Key + options.Marker) ?? true);
        return new Sighting(
            [.. complete.Select(item => new Arrival(item.Key[(item.Key.LastIndexOf('/') + 1)..], $"{S3Link.Scheme}{bucket}/{item.Key}", MarkerOf(item)))],
            wanted.TrueForAll(item => keys?.Contains(item.Key + options.Marker) ?? true));
    }, cancellationToken);

    public string InputFor(Arrival arrival, RunDirectory directory) => directory.Copy;

    public bool Owns(RunDocument run) =>
        run.Origin == RunOrigin.S3 && run.Source.StartsWith($"{S3Link.Scheme}{bucket}/{prefix}", StringComparison.Ordinal);

    public Task<bool> TakeAsync(RunDocument run, RunDirectory directory, CancellationToken cancellationToken) => AskAsync("take", async () =>
    {
        if (!await ClaimAsync(run, cancellationToken))
            return false;
        if (File.Exists(run.Input))
            return true;
        var marker = run.Marker!;
        var etag = marker[(marker.LastIndexOf('@') + 1)..^".json".Length];
        try
        {
            using var answer = await client.GetObjectAsync(
                new GetObjectRequest { BucketName = bucket, Key = KeyOf(run), EtagToMatch = $"\"{etag}\"" }, cancellationToken);
            await SaveAsync(answer, run.Input, cancellationToken);
            return true;
        }
        catch (AmazonServiceException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.PreconditionFailed)
        {
            throw new ImportException(ImportCodes.FileMissing, $"The object {run.Source} was replaced or removed before it was fetched.", e);
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
                    new { run.RunId, run.State, outcome.Counts, run.Failure, outcome.StartedAt, outcome.EndedAt }, ClaimCheckJson.Options),
            }, cancellationToken);
            return true;
        }, cancellationToken);
        if (run.State != RunState.Cancelled)
            File.Delete(run.Input);
    }

    private async Task<bool> ClaimAsync(RunDocument run, CancellationToken cancellationToken)
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
        // 409: another one writes it just now.
        catch (AmazonServiceException e) when (e.StatusCode is HttpStatusCode.PreconditionFailed or HttpStatusCode.Conflict)
        {
            // It may be our own, from before a crash, or of a try whose answer got lost.
            return await OwnerAsync(run, cancellationToken) == run.RunId;
        }
    }

    private async Task<string?> OwnerAsync(RunDocument run, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetObjectAsync(bucket, run.Marker, cancellationToken);
            using var marker = await JsonDocument.ParseAsync(answer.ResponseStream, default, cancellationToken);
            return marker.RootElement.TryGetProperty("runId", out var id) ? id.GetString() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or AmazonServiceException { StatusCode: HttpStatusCode.NotFound })
        {
            return null;
        }
    }

    private static async Task SaveAsync(GetObjectResponse answer, string path, CancellationToken cancellationToken)
    {
        var next = path + ".partial";
        await using (var file = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            await answer.ResponseStream.CopyToAsync(file, cancellationToken);
            if (file.Length != answer.ContentLength)
                throw new IOException($"{file.Length} of {answer.ContentLength} bytes came.");
            file.Flush(flushToDisk: true);
        }
        File.Move(next, path, overwrite: true);
    }

    private async IAsyncEnumerable<S3Object> ListAsync(
        string under, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request { BucketName = bucket, Prefix = under };
        while (true)
        {
            var page = await client.ListObjectsV2Async(request, cancellationToken);
            foreach (var item in page.S3Objects ?? [])
                yield return item;
            if (page.IsTruncated != true)
                yield break;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    private string MarkerOf(S3Object item) => $"{prefix}{Markers}{item.Key[prefix.Length..]}@{item.ETag.Trim('"')}.json";

    private string KeyOf(RunDocument run) => run.Source[(S3Link.Scheme.Length + bucket.Length + 1)..];

    private bool IsWanted(string name)
    {
        var file = name[(name.LastIndexOf('/') + 1)..];
        return file.Length > 0 && file[0] != '.' && (options.Patterns.Count > 0
            ? options.Patterns.Exists(pattern => FileSystemName.MatchesSimpleExpression(pattern, file, ignoreCase: false))
                && !file.EndsWith(options.Marker, StringComparison.Ordinal)
            : FeedFile.FormatOf(file) is not null);
    }

    // The bucket may come back, and the rights may be granted.
    private async Task<T> AskAsync<T>(string what, Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        try
        {
            return await ask();
        }
        catch (Exception e) when (e is AmazonClientException or AmazonServiceException or HttpRequestException or TimeoutException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var code = (e as AmazonServiceException)?.ErrorCode;
            throw new IOException($"S3 could not {what} in bucket {bucket}: {(string.IsNullOrEmpty(code) ? e.Message : code)}", e);
        }
    }
}
