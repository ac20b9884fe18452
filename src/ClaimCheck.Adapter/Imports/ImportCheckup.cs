using ClaimCheck.Import.Sending;

namespace ClaimCheck.Adapter.Imports;

/// <summary>
/// Checks that a route's source can be watched, and its endpoint called. Nothing is processed or sent; the checks leave nothing
/// behind.
/// </summary>
internal static class ImportCheckup
{
    public static string HostOf(ImportRoute route) => new Uri(route.Options.Endpoint.Url!).Authority;

    /// <returns>What is wrong, or null.</returns>
    public static async Task<string?> SourceAsync(ImportRoute route)
    {
        try
        {
            using var watched = Watched.Of(route.Options, TimeProvider.System);
            await watched.Source.LookAsync(CancellationToken.None);
            await watched.Source.ProveAsync(CancellationToken.None);
            return null;
        }
        catch (Exception e) when (e is ImportException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    /// <returns>What is wrong, or null.</returns>
    public static async Task<string?> EndpointAsync(ImportRoute route)
    {
        try
        {
            return await EndpointCheck.FaultAsync(route.Options.Endpoint, CancellationToken.None);
        }
        catch (ImportException e)
        {
            return e.Message;
        }
    }
}
