using ClaimCheck.Consumer;

namespace ClaimCheck.Service.BulkJobs.Bodies;

/// <summary>A batch that a claim URL names, and the service to ask for it.</summary>
/// <param name="Service">The service's address; nothing else is called.</param>
/// <param name="IsOwn">Whether that is this service.</param>
internal sealed record ClaimedBatch(BatchId BatchId, Uri Service, bool IsOwn, string? Key, IReadOnlyList<string> LinkHosts)
{
    public override string ToString() => $"{BatchId}";
}

/// <summary>Which claim URLs are followed: this service's own, and those of the hosts that the operator allows.</summary>
internal sealed class ClaimedBatches(
    BulkJobsOptions options, IConfiguration configuration, PublicAddress address, ExportStore exports, LinkMinter minter)
{
    /// <summary>Checks whether a caller may claim it.</summary>
    /// <returns>The reason why not, or null.</returns>
    public async Task<string?> FaultAsync(Caller caller, string url, CancellationToken cancellationToken)
    {
        if (Find(url) is not { } claimed)
            return "Must be the claim URL of a batch (…/v1/batches/{batchId}/manifest), of this service or of one that "
                + "ClaimCheck:BulkJobs:ClaimHosts names.";
        return claimed.IsOwn && await exports.FindAsync(caller, claimed.BatchId, cancellationToken) is null
            ? "The batch does not exist."
            : null;
    }

    /// <summary>The claim as a job stores it: for a batch of this service without the address, which may differ between
    /// replicas.</summary>
    public string Kept(string url) => Find(url) is { IsOwn: true } own ? $"/v1/batches/{own.BatchId}/manifest" : url;

    /// <returns>Null where it is not a claim URL, or where its host is not allowed.</returns>
    public ClaimedBatch? Find(string url)
    {
        if (url.StartsWith("/v1/batches/", StringComparison.Ordinal))
            url = address.Url(url);
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri)
            || uri is not { Scheme: "http" or "https", UserInfo.Length: 0, Query.Length: 0, Fragment.Length: 0 })
            return null;
        foreach (var (origin, isOwn, key, links) in Allowed())
        {
            var path = origin.AbsolutePath.TrimEnd('/');
            if (origin.Scheme == uri.Scheme && origin.Authority.Equals(uri.Authority, StringComparison.OrdinalIgnoreCase)
                && uri.AbsolutePath.StartsWith(path + "/", StringComparison.Ordinal)
                && uri.AbsolutePath[path.Length..].Split('/') is ["", "v1", "batches", var id, "manifest"]
                && BatchId.TryParse(id, out var batch))
            {
                // This process itself answers too where it has the role: no detour through a load balancer.
                return new(batch, isOwn && Roles.Of(configuration).IsApi ? new Uri(address.Own) : origin, isOwn, key, links);
            }
        }

        return null;
    }

    /// <summary>A client and reader of the batch's service. The caller disposes both.</summary>
    public async Task<(ClaimCheckClient Client, BatchReader Reader)> OpenAsync(
        ClaimedBatch claimed, CancellationToken cancellationToken)
    {
        var hosts = claimed.LinkHosts.ToList();
        if (claimed.IsOwn)
            hosts.Add(new Uri((await minter.MintFutureManifestAsync(claimed.BatchId, cancellationToken)).Reveal()).Authority);
        var client = new ClaimCheckClient(new ClaimCheckClientOptions { BaseAddress = claimed.Service, ApiKey = claimed.Key });
        return (client, new BatchReader(
            client, new BatchReaderOptions { AllowedLinkHosts = hosts, MaxRecordBytes = OversizedRecord.Largest }));
    }

    private IEnumerable<(Uri Origin, bool IsOwn, string? Key, IReadOnlyList<string> LinkHosts)> Allowed()
    {
        var own = configuration["ClaimCheck:AdminKey"] is { Length: > 0 } key ? key : null;
        yield return (new Uri(address.Url("")), true, own, []);
        foreach (var host in options.ClaimHosts)
            yield return (host.Origin!, false, host.Key, host.LinkHosts);
    }
}
