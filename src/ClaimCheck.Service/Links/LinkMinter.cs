namespace ClaimCheck.Service.Links;

/// <summary>The only place where a link is minted. Nothing else calls the staging's signer.</summary>
internal sealed class LinkMinter(IStaging staging, ILanding inbox)
{
    private static readonly TimeSpan ShortestLifetime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ResultLifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan ProbeLifetime = TimeSpan.FromMinutes(10);

    /// <summary>A link to an object of a batch that is ready; it never outlives the batch.</summary>
    /// <param name="batch">Read while it was ready, under a lock or a moment ago.</param>
    /// <param name="key">The object.</param>
    /// <param name="lifetime">The lifetime that is wanted; the end of the batch and the signer's limits shorten it.</param>
    /// <param name="method">The method it is for: GET or HEAD.</param>
    /// <param name="cancellationToken">Fetching a credential may take a while.</param>
    public Task<SignedLink> MintAsync(
        ReadyBatch batch, string key, TimeSpan lifetime, string method, CancellationToken cancellationToken)
    {
        var remaining = batch.Remaining ?? LinkLifetime.Longest;
        return staging.SignAsync(
            key, Clamp(lifetime < remaining ? lifetime : remaining), LinkAudience.Consumer, method, cancellationToken);
    }

    /// <summary>A link to where the manifest will be, for the first answer to a request: 404 (or 403) until the batch is ready. A
    /// batch that is revoked or cancelled never gets a manifest there (again).</summary>
    public async Task<Link> MintFutureManifestAsync(BatchId batch, CancellationToken cancellationToken) =>
        (await staging.SignAsync(
            StagingKeys.Manifest(batch), LinkLifetime.Longest, LinkAudience.Consumer, HttpMethods.Get, cancellationToken)).Link;

    /// <summary>A link to the results of a bulk job that has ended; it never outlives the job.</summary>
    /// <param name="key">The object.</param>
    /// <param name="remaining">The time that the job itself has left.</param>
    /// <param name="method">The method it is for: GET or HEAD.</param>
    /// <param name="cancellationToken">Fetching a credential may take a while.</param>
    public async Task<Link> MintResultAsync(string key, TimeSpan remaining, string method, CancellationToken cancellationToken) =>
        (await staging.SignAsync(key, Clamp(remaining < ResultLifetime ? remaining : ResultLifetime), LinkAudience.Consumer,
            method, cancellationToken)).Link;

    /// <summary>A link for the proof of a revocation. It never leaves the process.</summary>
    public async Task<Link> MintProbeAsync(string key, CancellationToken cancellationToken) =>
        (await staging.SignAsync(key, ProbeLifetime, LinkAudience.Probe, HttpMethods.Get, cancellationToken)).Link;

    /// <summary>A link to write one file of an open batch, through the service. What it writes, no link can read.</summary>
    /// <param name="batch">The batch is open.</param>
    /// <param name="key">An object of the batch's landing prefix.</param>
    /// <param name="lifetime">How long it lives at most.</param>
    /// <param name="cancellationToken">Fetching a credential may take a while.</param>
    public Task<SignedLink> MintUploadAsync(OpenBatch batch, string key, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        CheckWritable(batch, key);
        return inbox.SignPutAsync(key, lifetime, cancellationToken);
    }

    /// <summary>A link to write one part of a recorded upload, of exactly the given length; it dies with the upload.</summary>
    /// <param name="batch">The batch is open.</param>
    /// <param name="upload">The upload of an object of the batch's landing prefix.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="lifetime">How long it lives at most.</param>
    /// <param name="cancellationToken">Fetching a credential may take a while.</param>
    public Task<SignedLink> MintPartAsync(
        OpenBatch batch, StagedMultipartUpload upload, int part, long bytes, TimeSpan lifetime,
        CancellationToken cancellationToken)
    {
        CheckWritable(batch, upload.Key);
        return inbox.SignPartAsync(upload, part, bytes, lifetime, cancellationToken);
    }

    private static void CheckWritable(OpenBatch batch, string key)
    {
        if (!key.StartsWith(StagingKeys.Landing(batch.Id), StringComparison.Ordinal))
            throw new InvalidOperationException(
                $"A link to write to {batch.Id} was asked for an object outside its landing zone.");
    }

    private static TimeSpan Clamp(TimeSpan lifetime) =>
        lifetime > LinkLifetime.Longest ? LinkLifetime.Longest : lifetime < ShortestLifetime ? ShortestLifetime : lifetime;
}
