namespace ClaimCheck.Adapter.Locations;

/// <summary>Does at a location, with a small file in a folder of its own, what a push and a removal do there.</summary>
internal static class LocationProbe
{
    private static readonly TimeSpan TidyTimeout = TimeSpan.FromSeconds(30);

    /// <exception cref="LocationException">A step fails; the message says which.</exception>
    public static async Task RunAsync(ISharedLocation location, CancellationToken cancellationToken)
    {
        var folder = $".claimcheck-check-{Guid.NewGuid():N}";
        const string name = "probe";
        var path = LocationPath.Join(folder, name);
        try
        {
            // Twice: an existing file is replaced.
            foreach (var content in (byte[][])[[1], "claimcheck"u8.ToArray()])
            {
                var sha256 = SHA256.HashData(content);
                await location.WriteAsync(path, _ => Task.FromResult<Stream>(new MemoryStream(content, writable: false)),
                    content.Length, sha256, cancellationToken);
                if (await location.HoldsAsync(path, content.Length, sha256, cancellationToken) != Holding.Same
                    || (await location.ReadAsync(path, cancellationToken))?.AsSpan().SequenceEqual(content) != true)
                {
                    throw new LocationException(
                        LocationFailure.Altered, $"{location.Name} does not return what was written there.");
                }
            }

            if (location.CanList
                && !(await location.ListAsync(folder, cancellationToken)).Any(file => file is { Name: name, IsFolder: false }))
                throw new LocationException(LocationFailure.Altered, $"{location.Name} does not list what was written there.");
            await location.CleanAsync(folder, TimeSpan.FromDays(1), cancellationToken);
            await location.DeleteAsync(folder, [name], cancellationToken);
            if (await location.ReadAsync(path, cancellationToken) is not null)
                throw new LocationException(
                    LocationFailure.Altered,
                    $"{location.Name} still returns what was deleted there: a revoked batch would stay.");
        }
        finally
        {
            await TidyAsync(location, folder, name);
        }
    }

    private static async Task TidyAsync(ISharedLocation location, string folder, string name)
    {
        using var soon = new CancellationTokenSource(TidyTimeout);
        try
        {
            await location.DeleteAsync(folder, [name], soon.Token);
            if (location.CanList)
                await location.DeleteFolderAsync(folder, soon.Token);
        }
        catch (Exception e) when (e is LocationException or OperationCanceledException)
        {
            // An earlier failure is reported; otherwise only an empty folder stays.
        }
    }
}
