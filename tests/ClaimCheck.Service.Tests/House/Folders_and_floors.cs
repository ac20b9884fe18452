namespace ClaimCheck.Service.Tests.House;

/// <summary>Folders that use each other can't be understood one after the other. Read from the
/// assemblies, in any depth.</summary>
[Trait("needs", "nothing")]
public sealed class Folders_and_floors
{
    // The service from the ground up: each folder uses only those before it.
    private static readonly string[] Floors =
    [
        "Startup", "Catalog", "Http", "Sources", "Staging", "Blocks", "Datasets", "Exporting", "Links", "Exports", "Revocation",
        "Receipts", "Schedules",
        "Batches", "BulkJobs", "Publishing", "ProducerBatches",
    ];

    [Fact]
    public void No_two_folders_use_each_other()
    {
        var found = Repository.Projects().SelectMany(
            project => TwoWay(project.Name, project.Path).Select(pair => $"{project.Name["ClaimCheck.".Length..]}: {pair}"));

        Assert.Empty(found);
    }

    [Fact]
    public void A_folder_of_the_service_uses_only_what_stands_below_it()
    {
        var (name, path) = Repository.Projects().Single(project => project.Name == "ClaimCheck.Service");
        var uses = UsesOf(name, path).Select(use => (User: use.User.Split('.')[0], Used: use.Used.Split('.')[0]))
            .Where(use => use.User != use.Used).Distinct().ToList();

        Assert.All(uses, use => Assert.True(
            Array.IndexOf(Floors, use.User) > Array.IndexOf(Floors, use.Used) && Array.IndexOf(Floors, use.Used) >= 0,
            $"{use.User} uses {use.Used}, which does not stand below it."));
    }

    [Fact]
    public void The_page_for_contributors_has_the_floors_in_their_order() =>
        Assert.Contains($"> {string.Join(", ", Floors)}\n", File.ReadAllText(Path.Combine(Repository.Root, "CONTRIBUTING.md")),
            StringComparison.Ordinal);

    [Fact]
    public void A_namespace_is_where_its_file_is() =>
        Assert.All(
            // A program's own file, and what a runtime looks for by its bare name, have none.
            Repository.Sources.Where(source => Path.GetFileName(source.Key) != "Program.cs"
                && !source.Value.Contains("class StartupHook\n", StringComparison.Ordinal)),
            source => Assert.Contains(
                $"namespace {string.Join('.', source.Key.Split('/')[1..^1])};", source.Value, StringComparison.Ordinal));

    private static IEnumerable<string> TwoWay(string project, string path)
    {
        var uses = UsesOf(project, path);
        return uses.Where(use => string.CompareOrdinal(use.User, use.Used) < 0 && Reaches(uses, use.Used, use.User))
            .Select(use => $"{use.User} <-> {use.Used}");
    }

    // Directly, or by way of other folders.
    private static bool Reaches(HashSet<(string User, string Used)> uses, string from, string to)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal) { from };
        var ahead = new Queue<string>(reached);
        while (ahead.TryDequeue(out var next))
        {
            foreach (var (_, used) in uses.Where(use => use.User == next && reached.Add(use.Used)))
                ahead.Enqueue(used);
        }

        return reached.Contains(to);
    }

    private static HashSet<(string User, string Used)> UsesOf(string project, string path) =>
        [.. from reference in TypeReferences.Of(path)
            let user = FolderOf(project, reference.User)
            let used = FolderOf(project, reference.Used)
            where user is not null && used is not null && !IsWithin(user, used) && !IsWithin(used, user)
            select (user, used)];

    // A project's root holds its public face, which everything may use, and Program, which uses everything.
    private static string? FolderOf(string project, UsedType type) =>
        type.Namespace.StartsWith($"{project}.", StringComparison.Ordinal) ? type.Namespace[(project.Length + 1)..] : null;

    // A folder and a folder inside it are one.
    private static bool IsWithin(string folder, string other) =>
        folder == other || folder.StartsWith($"{other}.", StringComparison.Ordinal);
}
