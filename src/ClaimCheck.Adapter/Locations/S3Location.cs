using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// A bucket, with credentials of its own. An object is there completely or not at all, so that no temporary name is needed. Its
/// SHA-256 is stored as metadata, and each request's body is checked by S3 on arrival.
/// </summary>
internal sealed class S3Location : ISharedLocation
{
    internal const string Sha256Metadata = "x-amz-meta-claimcheck-sha256";

    private const int MostDeletes = 1_000; // S3's own limit
    // S3's own limit; the SDK would fall back to an old signature
    private static readonly TimeSpan LongestLink = TimeSpan.FromDays(7);

    private readonly LocationOptions options;
    private readonly TimeProvider time;
    private readonly AmazonS3Client s3;
    private readonly string bucket;
    private readonly string prefix;

    public S3Location(LocationOptions options, TimeProvider time)
    {
        (this.options, this.time) = (options, time);
        bucket = options.Bucket!;
        prefix = options.Path is { Length: > 0 } path ? path + "/" : "";
        s3 = S3Access.Connect(options);
    }

    public string Name => $"bucket {bucket}{(prefix.Length > 0 ? $", {prefix.TrimEnd('/')}" : "")}";

    public bool CanList => true;

    public Task WriteAsync(
        string path, Func<CancellationToken, Task<Stream>> open, long bytes, ReadOnlyMemory<byte> sha256,
        CancellationToken cancellationToken) =>
        GuardAsync($"store {path}", async () =>
        {
            await using var source = await open(cancellationToken);
            var upload = new S3Upload(s3, options, KeyOf(path), new(path, bytes, sha256));
            await upload.SendAsync(source, cancellationToken);
            Digests.Prove(await HasAsync(path, bytes, sha256, cancellationToken), Name, path);
            return true;
        }, cancellationToken);

    public Task<Holding> HoldsAsync(string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken) =>
        GuardAsync($"look for {path}", () => HasAsync(path, bytes, sha256, cancellationToken), cancellationToken);

    public Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken) => GuardAsync($"read {path}", async () =>
    {
        try
        {
            using var answer = await s3.GetObjectAsync(bucket, KeyOf(path), cancellationToken);
            return await LocationLimits.ReadAsync(answer.ResponseStream, Name, path, cancellationToken);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket")
        {
            return null;
        }
    }, cancellationToken);

    public Task<IReadOnlyList<StoredFile>> ListAsync(string folder, CancellationToken cancellationToken) =>
        GuardAsync($"list {folder}", async () =>
        {
            var start = FolderOf(folder);
            var found = new List<StoredFile>();
            var request = new ListObjectsV2Request { BucketName = bucket, Prefix = start, Delimiter = "/" };
            ListObjectsV2Response page;
            do
            {
                page = await s3.ListObjectsV2Async(request, cancellationToken);
                // Consoles create "folders" as empty objects whose key ends with a slash.
                found.AddRange((page.S3Objects ?? []).Where(item => item.Key.Length > start.Length).Select(item => new StoredFile(
                    item.Key[start.Length..],
                    item.Size ?? 0,
                    item.LastModified is { } at ? new DateTimeOffset(at.ToUniversalTime()) : null)));
                found.AddRange((page.CommonPrefixes ?? []).Select(
                    item => new StoredFile(item[start.Length..].TrimEnd('/'), 0, null, IsFolder: true)));
                LocationLimits.Check(found.Count, Name, folder);
                request.ContinuationToken = page.NextContinuationToken;
            }
            while (page.IsTruncated == true);
            return (IReadOnlyList<StoredFile>)found;
        }, cancellationToken);

    public Task DeleteAsync(string folder, IReadOnlyCollection<string> names, CancellationToken cancellationToken) =>
        GuardAsync($"delete from {folder}", async () =>
        {
            foreach (var some in names.Chunk(MostDeletes))
            {
                await s3.DeleteObjectsAsync(
                    new DeleteObjectsRequest
                    {
                        BucketName = bucket,
                        Objects = [.. some.Select(
                            name => new KeyVersion { Key = FolderOf(folder) + LocationPath.Checked(name) })],
                        Quiet = true,
                    },
                    cancellationToken);
            }
            return true;
        }, cancellationToken);

    public async Task DeleteFolderAsync(string folder, CancellationToken cancellationToken)
    {
        await CleanAsync(LocationPath.Checked(folder), TimeSpan.Zero, cancellationToken);
        var files = (await ListAsync(folder, cancellationToken)).Where(file => !file.IsFolder && LocationPath.IsName(file.Name))
            .Select(file => file.Name).ToList();
        if (files.Count > 0)
            await DeleteAsync(folder, files, cancellationToken);
    }

    // Unfinished uploads cost money and are invisible.
    public Task CleanAsync(string folder, TimeSpan lease, CancellationToken cancellationToken) =>
        GuardAsync($"list uploads of {folder}", async () =>
        {
            var start = FolderOf(folder);
            var before = time.GetUtcNow() - lease;
            var request = new ListMultipartUploadsRequest { BucketName = bucket, Prefix = start };
            ListMultipartUploadsResponse page;
            do
            {
                page = await s3.ListMultipartUploadsAsync(request, cancellationToken);
                foreach (var upload in page.MultipartUploads ?? [])
                {
                    if (upload.Key.IndexOf('/', start.Length) < 0 && upload.Initiated is { } at
                        && new DateTimeOffset(at.ToUniversalTime()) <= before)
                        await S3Upload.AbortAsync(s3, bucket, upload.Key, upload.UploadId, cancellationToken);
                }
                (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
            }
            while (page.IsTruncated == true);
            return true;
        }, cancellationToken);

    public Task<string?> LinkAsync(string path, TimeSpan lifetime, CancellationToken cancellationToken) =>
        GuardAsync($"sign a link to {path}", async () =>
        {
            var key = KeyOf(path);
            var endpoint = s3.DetermineServiceOperationEndpoint(new GetObjectRequest { BucketName = bucket, Key = key }).URL;
            var seconds = Math.Max(1, Math.Floor((lifetime < LongestLink ? lifetime : LongestLink).TotalSeconds));
            return (string?)await s3.GetPreSignedURLAsync(new GetPreSignedUrlRequest
            {
                BucketName = bucket,
                Key = key,
                Verb = HttpVerb.GET,
                // By default it writes https for an http endpoint.
                Protocol = endpoint.StartsWith("http:", StringComparison.OrdinalIgnoreCase) ? Protocol.HTTP : Protocol.HTTPS,
                // The SDK subtracts its own clock again.
                Expires = CorrectClockSkew.GetCorrectedUtcNowForEndpoint(endpoint).AddSeconds(seconds),
            });
        }, cancellationToken);

    public ValueTask DisposeAsync()
    {
        s3.Dispose();
        return ValueTask.CompletedTask;
    }

    private string KeyOf(string path) => prefix + LocationPath.Checked(path);

    private string FolderOf(string folder) => folder.Length == 0 ? prefix : KeyOf(folder) + "/";

    private async Task<Holding> HasAsync(
        string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken)
    {
        try
        {
            var found = await s3.GetObjectMetadataAsync(bucket, KeyOf(path), cancellationToken);
            if (found.ContentLength != bytes)
                return Holding.Other;
            if (found.Metadata[Sha256Metadata] is { Length: > 0 } told)
                return string.Equals(told, Convert.ToHexStringLower(sha256.Span), StringComparison.OrdinalIgnoreCase)
                    ? Holding.Same
                    : Holding.Other;
            // Another writer's object, or a store that does not keep metadata.
            if (bytes > LocationLimits.ReadBackBytes)
                return Holding.Unclear;
            using var stored = await s3.GetObjectAsync(bucket, KeyOf(path), cancellationToken);
            return await Digests.IsAsync(stored.ResponseStream, bytes, sha256, cancellationToken) ? Holding.Same : Holding.Other;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return Holding.Other;
        }
    }

    private async Task<T> GuardAsync<T>(string doing, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (S3Access.IsFailure(e, cancellationToken))
        {
            throw S3Access.Explain(e, $"{Name} could not {doing}");
        }
    }
}
