using ClaimCheck.Contracts;
using ClaimCheck.Service.Http;
using ClaimCheck.Service.Startup;

namespace ClaimCheck.Service.Datasets;

/// <summary>Reads definitions again at an operator's request: those of datasets, or of operations.</summary>
internal static class DefinitionReloads
{
    /// <returns>What has changed, or why nothing could be read.</returns>
    public static async Task<(ReloadedDefinitions? Reloaded, Refused? Refusal)> ReloadAsync(IDefinitionFolder folder, CancellationToken cancellationToken)
    {
        try
        {
            return (new ReloadedDefinitions(await folder.ReloadAsync(all: true, cancellationToken)), null);
        }
        catch (StartupException e)
        {
            // A fault of the folder as a whole; the earlier definitions stay.
            return (null, Refusals.Unavailable(new(ProblemCodes.DefinitionInvalid, e.Message)));
        }
    }
}
