namespace ClaimCheck.Adapter.Deliveries;

/// <summary>
/// The links that consumer systems get to delivered files. They are minted when they are sent, and never stored.
/// </summary>
internal sealed class DeliveryLinks(CheckedAdapterOptions options, RouteLocations locations)
{
    /// <returns>
    /// A link to the manifest at the destination, and when it expires at the latest; null where the location has none.
    /// </returns>
    public async Task<(Link? Link, DateTimeOffset? ExpiresAt)> MintAsync(
        Route route, DeliveryDocument document, CancellationToken cancellationToken)
    {
        if (document is not { State: DeliveryState.Delivered, Folder: { } folder })
            return default;
        var expiresAt = TimeProvider.System.GetUtcNow() + options.LinkLifetime;
        return await locations.Of(route)
            .LinkAsync(LocationPath.Join(folder, "manifest.json"), options.LinkLifetime, cancellationToken) is { } url
            ? (new Link(url), expiresAt)
            : default;
    }

    /// <summary>The same; null also where the location can't be reached now.</summary>
    public async Task<(Link? Link, DateTimeOffset? ExpiresAt)> TryMintAsync(
        Route route, DeliveryDocument document, CancellationToken cancellationToken)
    {
        try
        {
            return await MintAsync(route, document, cancellationToken);
        }
        catch (LocationException)
        {
            return default; // the state is what was asked for
        }
    }
}
