using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace ClaimCheck.Import.Arriving;

/// <summary>
/// Whether a bucket refuses to overwrite an object when it is told to. A store may ignore the condition, as many did before 2024,
/// and then every watcher would take every object.
/// </summary>
internal sealed class ConditionalWrites(IAmazonS3 client, string bucket)
{
    private const string NoLock =
        "Two watchers would take one object; use a store that has conditional writes, or have the objects brought into a folder.";

    private string Store => $"The store at {Host}, bucket {bucket},";

    private string Host =>
        client.Config.ServiceURL is { } address
            ? new Uri(address).Authority
            : $"S3 in {client.Config.RegionEndpoint?.SystemName}";

    /// <param name="probe">An object that does not exist; it is deleted in the end.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    /// <exception cref="ImportException">The condition is ignored, or refused.</exception>
    public async Task ProveAsync(string probe, CancellationToken cancellationToken)
    {
        try
        {
            if (!await IsRefusedAsync(probe, cancellationToken) && !await IsRefusedAsync(probe, cancellationToken))
                throw new ImportException(
                    ImportCodes.SourceUnavailable, $"{Store} ignores If-None-Match: it overwrote an existing object. {NoLock}");
        }
        finally
        {
            await TryDeleteAsync(probe);
        }
    }

    private async Task<bool> IsRefusedAsync(string probe, CancellationToken cancellationToken)
    {
        try
        {
            await client.PutObjectAsync(
                new PutObjectRequest { BucketName = bucket, Key = probe, IfNoneMatch = "*", ContentBody = "claimcheck" },
                cancellationToken);
            return false;
        }
        catch (AmazonServiceException e) when (e.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            return true; // the first write too, where its answer was lost and the client repeated it
        }
        catch (AmazonServiceException e) when (
            e.StatusCode is HttpStatusCode.NotImplemented or HttpStatusCode.MethodNotAllowed
            || e.ErrorCode is "NotImplemented" or "InvalidArgument" or "InvalidRequest")
        {
            throw new ImportException(
                ImportCodes.SourceUnavailable, $"{Store} refuses If-None-Match ({(int)e.StatusCode} {e.ErrorCode}). {NoLock}", e);
        }
    }

    // Without the permission to delete, an empty object is left that is never taken for a file.
    private async Task TryDeleteAsync(string key)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            await client.DeleteObjectAsync(bucket, key, soon.Token);
        }
        catch (Exception e) when (S3Failure.IsOf(e, CancellationToken.None))
        {
        }
    }
}
