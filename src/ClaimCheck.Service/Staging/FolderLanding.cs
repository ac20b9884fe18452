namespace ClaimCheck.Service.Staging;

/// <summary>The landing of a folder: its links lead to this service, which has no size limit that would require parts.</summary>
internal sealed class FolderLanding(FolderPaths paths, StagedFileLinks links, PublicAddress address) : ILanding
{
    public bool TakesParts => false;

    public Task<SignedLink> SignPutAsync(string key, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        LinkLifetime.Check(lifetime);
        _ = paths.Of(key);
        var (path, expiresAt) = links.Sign(key, lifetime, HttpMethods.Put);
        return Task.FromResult(new SignedLink(new Link(address.Url(path)), expiresAt));
    }

    public Task<SignedLink> SignPartAsync(
        StagedMultipartUpload upload, int partNumber, long bytes, TimeSpan lifetime, CancellationToken cancellationToken) =>
        throw NoParts();

    public Task<IReadOnlyDictionary<int, long>> PartsAsync(StagedMultipartUpload upload, CancellationToken cancellationToken) =>
        throw NoParts();

    public Task CompleteAsync(StagedMultipartUpload upload, int parts, CancellationToken cancellationToken) => throw NoParts();

    public Task<long?> SizeAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            var file = new FileInfo(paths.Of(key));
            return Task.FromResult(file.Exists ? file.Length : (long?)null);
        }
        catch (Exception e) when (FolderFailures.IsFailure(e))
        {
            return Task.FromException<long?>(FolderFailures.Explain(e, $"look at {key}"));
        }
    }

    private static NotSupportedException NoParts() => new("A folder takes each file in one request.");
}
