using ClaimCheck.Import.Sending;

namespace ClaimCheck.Adapter.Options;

/// <summary>Reads a route that imports, and reports what is wrong with it. The import checks its own options itself.</summary>
internal sealed class ImportReader(string name, RouteOptions options, OptionsErrors errors)
{
    private static readonly string UnsetName = new ImportOptions().Name;

    private string Path => $"Adapter:Routes:{name}";

    /// <param name="hasCriteria">Whether criteria are configured beside it.</param>
    /// <param name="stateDirectory">The adapter's state directory.</param>
    /// <param name="service">The target of bulk jobs without an address of their own.</param>
    /// <param name="serviceKey">The key for it.</param>
    /// <returns>Null where it is too invalid to be read further.</returns>
    public ImportRoute? Read(bool hasCriteria, string stateDirectory, string? service, string? serviceKey)
    {
        foreach (var (field, _) in Foreign(hasCriteria).Where(each => each.IsSet))
            errors.Add(
                $"{Path}:{field} is set, but an import route does not use it (its records come from files): leave it out.");
        if (options.Import is not { } import)
        {
            errors.Add($"{Path}:Import is not set, but must name the source to watch and the target of its records: there "
                + "would be nothing to do.");
            return null;
        }

        if (import.Name != UnsetName && import.Name != name)
            errors.Add($"{Path}:Import:Name is '{import.Name}', but an import route always uses the route's name: leave it out.");
        if (import.State is not null)
            errors.Add($"{Path}:Import:State is set, but runs are kept in Adapter:StateDirectory, which one "
                + "process holds: leave it out.");
        (import.Name, import.State) = (name, System.IO.Path.Combine(stateDirectory, "imports", name));
        if (import.Endpoint is { Contract: "bulk-jobs", Url: null } endpoint)
        {
            endpoint.Url = service;
            if (endpoint is { Key: null, KeyFile: null })
                endpoint.Key = serviceKey;
        }

        CheckSource(import);
        // Its own name was checked as the route's.
        errors.Add(ImportOptionsCheck.Problems(import).Where(problem => !problem.StartsWith("name is", StringComparison.Ordinal))
            .Select(problem => $"{Path}:Import: {problem}"));
        CheckKey(import.Endpoint);
        return new(name, import, options.Callers);
    }

    /// <summary>Two routes over one source would each get some of its files.</summary>
    public static void CheckSources(IReadOnlyList<ImportRoute> routes, OptionsErrors errors)
    {
        foreach (var shared in routes.Where(route => route.Options.Source is not null)
            .GroupBy(route => route.Options.Source!.TrimEnd('/'), StringComparer.Ordinal).Where(group => group.Count() > 1))
        {
            errors.Add(
                $"Adapter:Routes:{string.Join(" and ", shared.Select(route => route.Name))} have the same Import:Source, "
                + $"{shared.Key}, but each must have its own: a file would be imported by whichever sees it first.");
        }
    }

    private void CheckSource(ImportOptions import)
    {
        if (import.Source is not { Length: > 0 } source)
            errors.Add($"{Path}:Import:Source is not set, but must be a folder or s3://bucket/prefix/: there "
                + "would be nothing to watch.");
        else if (source.StartsWith(S3Link.Scheme, StringComparison.Ordinal)
            ? !S3Link.TryParse(source, out _, out _)
            : !System.IO.Path.IsPathFullyQualified(source))
            errors.Add($"{Path}:Import:Source is '{source}', but must be the absolute path of a folder, or like "
                + "s3://bucket/prefix/: something else would be watched.");
    }

    private void CheckKey(EndpointOptions endpoint)
    {
        try
        {
            EndpointKey.Of(endpoint);
        }
        catch (ImportException e)
        {
            errors.Add($"{Path}:Import: {e.Message}");
        }
    }

    private IEnumerable<(string Field, bool IsSet)> Foreign(bool hasCriteria) =>
    [
        ("Dataset", options.Dataset is not null), ("Criteria", hasCriteria), ("Format", options.Format is not null),
        ("Compression", options.Compression is not null), ("Cron", options.Cron is not null),
        ("TimeZone", options.TimeZone is not null),
        ("Events", options.Events is not null), ("QueueUrl", options.QueueUrl is not null),
        ("Accept", options.Accept is not null),
        ("Wait", options.Wait is not null), ("WaitAt", options.WaitAt is not null),
        ("Destination", options.Destination is not null),
        ("Notify", options.Notify is not null),
    ];
}
