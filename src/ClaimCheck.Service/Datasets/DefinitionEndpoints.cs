namespace ClaimCheck.Service.Datasets;

/// <summary>What the calls for datasets and for operations have in common.</summary>
internal static class DefinitionEndpoints
{
    /// <summary>A page of the definitions, by name.</summary>
    /// <param name="call">Names the call, for its cursors.</param>
    /// <param name="known">All definitions at this moment.</param>
    /// <param name="show">Shows one, which may ask its database.</param>
    public static async Task<Results<Ok<Page<TItem>>, ProblemResult>> ListAsync<TDefinition, TItem>(
        HttpRequest request, string call, DefinitionSet<TDefinition> known, Func<TDefinition, Task<TItem>> show)
        where TDefinition : class, IDefinition
    {
        if (Paging.Read(request, call, out var refusal) is not { } paging)
            return refusal!;
        var rest = known.All.Where(one => string.CompareOrdinal(one.Name, paging.After) > 0).Take(paging.WithNext).ToList();
        var items = await Task.WhenAll(rest.Take(paging.Limit).Select(show));
        var next = rest.Count > paging.Limit ? Paging.Cursor(call, rest[paging.Limit - 1].Name) : null;
        return TypedResults.Ok(new Page<TItem>(items, next));
    }

    /// <summary>Reads definitions again at an operator's request, and says what has changed.</summary>
    public static async Task<Results<Ok<ReloadedDefinitions>, ProblemResult>> ReloadAsync(
        IDefinitionFolder folder, CancellationToken cancellationToken)
    {
        try
        {
            return TypedResults.Ok(new ReloadedDefinitions(await folder.ReloadAsync(all: true, cancellationToken)));
        }
        catch (StartupException e)
        {
            // A fault of the folder as a whole; the earlier definitions stay.
            return Problems.Of(Refusals.Unavailable(new(ProblemCodes.DefinitionInvalid, e.Message)));
        }
    }
}
