using ClaimCheck.Import;

namespace ClaimCheck.Adapter.Imports;

/// <summary>A route that imports the files of a source, checked.</summary>
/// <param name="Name">The route's; its imports have the same.</param>
/// <param name="Options">Source, mapping, endpoint, and where the runs are kept.</param>
/// <param name="Callers">Who may see and steer it; none means all.</param>
internal sealed record ImportRoute(string Name, ImportOptions Options, IReadOnlyList<string> Callers)
{
    public bool IsFor(string caller) => Callers.Count == 0 || Callers.Contains(caller, StringComparer.Ordinal);

    /// <summary>The name: options hold a key.</summary>
    public override string ToString() => Name;
}
