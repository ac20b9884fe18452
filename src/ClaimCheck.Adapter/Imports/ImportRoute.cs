namespace ClaimCheck.Adapter.Imports;

/// <summary>A checked route that imports the files of a source.</summary>
/// <param name="Name">The route's; its imports have the same.</param>
/// <param name="Options">Source, mapping, endpoint, and where the runs are kept.</param>
/// <param name="Callers">Who may see and control it; none means all.</param>
internal sealed record ImportRoute(string Name, ImportOptions Options, IReadOnlyList<string> Callers)
{
    public bool IsFor(string caller) => Callers.Count == 0 || Callers.Contains(caller, StringComparer.Ordinal);

    /// <summary>The name only: options contain a key.</summary>
    public override string ToString() => Name;
}
