namespace ClaimCheck.Service.Tests.House;

/// <summary>The repository's own sources, read as text, and where its assemblies are.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>C# files below <c>src/</c> and <c>tests/</c>, by their path from the root with forward slashes.</summary>
    public static IReadOnlyDictionary<string, string> Sources { get; } = new[] { "src", "tests" }
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories))
        .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
        .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal))
        .ToDictionary(path => path, path => File.ReadAllText(Path.Combine(Root, path)), StringComparer.Ordinal);

    /// <summary>All projects and their assemblies, as they were built with these tests.</summary>
    public static IEnumerable<(string Name, string Path)> Projects()
    {
        var configuration = AppContext.BaseDirectory.Contains("/Debug/", StringComparison.Ordinal) ? "Debug" : "Release";
        foreach (var project in ((string[])["src", "tests"]).SelectMany(
            part => Directory.GetDirectories(Path.Combine(Root, part), "ClaimCheck.*")).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(project);
            var assembly = Directory.GetFiles(Path.Combine(project, "bin", configuration, "net10.0"), "*.dll")
                .Single(file => Path.GetFileNameWithoutExtension(file) is var built
                    && (built == name || (name == "ClaimCheck.Cli" && built == "claimcheck")));
            yield return (name, assembly);
        }
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ClaimCheck.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("The tests do not run from within the repository.");
    }
}
