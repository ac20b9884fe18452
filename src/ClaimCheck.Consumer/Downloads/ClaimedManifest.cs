namespace ClaimCheck.Consumer.Downloads;

/// <summary>The input of a read: a batch, with or without a link to its manifest or the manifest itself.</summary>
/// <param name="BatchId">The batch.</param>
/// <param name="Location">A link to its manifest, or null.</param>
/// <param name="Manifest">The manifest, or null.</param>
internal sealed record RequestedBatch(BatchId BatchId, Link? Location, Manifest? Manifest);

/// <summary>
/// A batch's manifest while it is read, and what its links are followed with. Links expire before files do: then the service,
/// which knows whether the batch is still ready, is asked for new ones.
/// </summary>
internal sealed class ClaimedManifest(ClaimCheckClient client, LinkClient links, RequestedBatch asked, BatchReaderOptions options)
{
    // 10,000 files, each with two signed links.
    private const int MaxManifestBytes = 64 * 1024 * 1024;

    private static readonly JsonSerializerOptions Json = new(ClaimCheckJson.Options) { MaxDepth = JsonDepth.OfDocuments };

    private Manifest? manifest;

    public BatchId BatchId => asked.BatchId;

    public LinkClient Links => links;

    public BatchReaderOptions Options => options;

    public Manifest Manifest => manifest ?? throw new InvalidOperationException("The manifest is not opened yet.");

    /// <summary>Gets the manifest: the one given, from the link, or from the service where the link is dead or
    /// there is none.</summary>
    /// <exception cref="BatchEndedException">The batch has ended.</exception>
    public async Task<Manifest> OpenAsync(CancellationToken cancellationToken)
    {
        var found = asked.Manifest;
        if (found is null && asked.Location is { } location)
            found = await FollowAsync(location, cancellationToken);
        found ??= await client.GetManifestAsync(BatchId, cancellationToken);
        ManifestRules.Check(found, BatchId);
        return manifest = found;
    }

    /// <summary>Asks the service for fresh links to the same files.</summary>
    /// <exception cref="BatchEndedException">The batch has ended: that is why the link does not work.</exception>
    /// <exception cref="IntegrityException">The service now lists other content for the batch.</exception>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var fresh = await client.GetManifestAsync(BatchId, cancellationToken);
        ManifestRules.Check(fresh, BatchId);
        ManifestRules.CheckSameContent(Manifest, fresh);
        manifest = fresh;
    }

    // Null where the link does not answer with a manifest: the service is asked instead.
    private async Task<Manifest?> FollowAsync(Link location, CancellationToken cancellationToken)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stall.CancelAfter(options.StallTimeout);
        try
        {
            using var response = await links.GetAsync(location, null, null, BatchId, stall.Token);
            if (response.StatusCode != HttpStatusCode.OK)
                return null;
            await using var body = await response.Content.ReadAsStreamAsync(stall.Token);
            await using var bounded = new BoundedStream(body, MaxManifestBytes);
            return await JsonSerializer.DeserializeAsync<Manifest>(bounded, Json, stall.Token);
        }
        catch (JsonException)
        {
            // The parser's own message may quote the manifest, which contains links: it is left out.
            throw new IntegrityException($"The link of {BatchId} does not lead to a manifest.", BatchId);
        }
        catch (Exception e) when (e is TransferException or IOException or HttpRequestException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
