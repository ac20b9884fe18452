namespace ClaimCheck.Service.Tests.House;

/// <summary>Folders that use each other can't be understood one after the other. Read from the assemblies, in any depth.</summary>
public sealed class FoldersTests
{
    // What is left to untie. Nothing may be added; what is untied leaves the list.
    private static readonly string[] Known =
    [
        "Adapter: Deliveries <-> Notices", "Adapter: Deliveries <-> Routes", "Adapter: Deliveries <-> Tables", "Adapter: Exports <-> Routes",
        "Adapter: Hosting <-> Imports", "Adapter: Hosting <-> Routes", "Adapter: Imports <-> Settings", "Adapter: Routes <-> Settings",
        "Adapter: Settings <-> Tables",
        "Service: BulkJobs <-> Hosting", "Service: Catalog <-> Hosting", "Service: Datasets <-> Hosting", "Service: Exports <-> Links",
        "Service: Hosting <-> Staging", "Service: Links <-> Revocation", "Service: Publishing.Subscriptions <-> Publishing.Webhooks",
    ];

    [Fact]
    public void No_two_folders_use_each_other()
    {
        var found = Projects().SelectMany(project => TwoWay(project.Name, project.Path).Select(pair => $"{project.Name["ClaimCheck.".Length..]}: {pair}"));

        Assert.Equal(Known, found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_namespace_is_where_its_file_is() =>
        Assert.All(
            // A program's own file, and what a runtime looks for by its bare name, have none.
            Repository.Sources.Where(source => Path.GetFileName(source.Key) != "Program.cs" && !source.Value.Contains("class StartupHook\n", StringComparison.Ordinal)),
            source => Assert.Contains($"namespace {string.Join('.', source.Key.Split('/')[1..^1])};", source.Value, StringComparison.Ordinal));

    // As they were built with these tests.
    private static IEnumerable<(string Name, string Path)> Projects()
    {
        var configuration = AppContext.BaseDirectory.Contains("/Debug/", StringComparison.Ordinal) ? "Debug" : "Release";
        foreach (var name in Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal))
        {
            var assembly = Directory.GetFiles(Path.Combine(Repository.Root, "src", name, "bin", configuration, "net10.0"), "*.dll")
                .Single(file => Path.GetFileNameWithoutExtension(file) is var built && (built == name || (name == "ClaimCheck.Cli" && built == "claimcheck")));
            yield return (name, assembly);
        }
    }

    private static IEnumerable<string> TwoWay(string project, string path)
    {
        var uses = new HashSet<(string User, string Used)>();
        foreach (var (user, used) in TypeReferences.Of(path))
        {
            if (FolderOf(project, user) is { } one && FolderOf(project, used) is { } other && !IsWithin(one, other) && !IsWithin(other, one))
                uses.Add((one, other));
        }

        return uses.Where(use => string.CompareOrdinal(use.User, use.Used) < 0 && uses.Contains((use.Used, use.User))).Select(use => $"{use.User} <-> {use.Used}");
    }

    // A project's root holds its public face, which everything may use, and Program, which uses everything.
    private static string? FolderOf(string project, UsedType type) =>
        type.Namespace.StartsWith($"{project}.", StringComparison.Ordinal) ? type.Namespace[(project.Length + 1)..] : null;

    // A folder and a folder inside it are one.
    private static bool IsWithin(string folder, string other) => folder == other || folder.StartsWith($"{other}.", StringComparison.Ordinal);
}
