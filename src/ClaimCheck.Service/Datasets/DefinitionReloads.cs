using ClaimCheck.Contracts;
using ClaimCheck.Service.Http;
using ClaimCheck.Service.Startup;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClaimCheck.Service.Datasets;

/// <summary><c>POST …/reload</c>, of datasets and of operations.</summary>
internal static class DefinitionReloads
{
    public static async Task<Results<Ok<ReloadedDefinitions>, ProblemResult>> ReloadAsync(IDefinitionFolder folder, CancellationToken cancellationToken)
    {
        try
        {
            return TypedResults.Ok(new ReloadedDefinitions(await folder.ReloadAsync(all: true, cancellationToken)));
        }
        catch (StartupException e)
        {
            // A fault of the folder as a whole; the earlier definitions stay.
            return Problems.Unavailable(new(ProblemCodes.DefinitionInvalid, e.Message));
        }
    }
}
