using System.Text.RegularExpressions;

namespace ClaimCheck.Service.Tests.House;

/// <summary>
/// The trait "needs" of a class of tests. "nothing": it starts no server, and <c>./dev test fast</c> runs it. "outside": it needs
/// a foreign tool, and <c>./dev test outside</c> runs it. Read from the assemblies: whatever starts a server
/// uses one of the types below.
/// </summary>
[Trait("needs", "nothing")]
public sealed partial class What_tests_need
{
    private static readonly string[] ForeignTools = ["JavaGzip"];

    [Fact]
    public void A_class_of_tests_needs_nothing_where_it_starts_no_server_and_only_there() =>
        AssertMarked("nothing", TestClasses(needs: false, StartsAServer));

    [Fact]
    public void A_class_of_tests_needs_the_outside_where_it_uses_a_foreign_tool_and_only_there() =>
        AssertMarked("outside", TestClasses(
            needs: true, type => type.Namespace == "ClaimCheck.Testing" && ForeignTools.Contains(type.Name)));

    private static void AssertMarked(string needs, HashSet<string> expected)
    {
        var marked = Marked(needs);
        Assert.NotEmpty(expected);
        Assert.True(
            marked.SetEquals(expected),
            $"[Trait(\"needs\", \"{needs}\")] is missing at {string.Join(" ", expected.Except(marked))}; it is wrong at "
            + $"{string.Join(" ", marked.Except(expected))}.");
    }

    private static bool StartsAServer(UsedType type) =>
        type is { Namespace: "System.Diagnostics", Name: "Process" or "ProcessStartInfo" }
            or { Namespace: "System.Net.Sockets", Name: "TcpListener" or "Socket" }
            or { Namespace: "Microsoft.AspNetCore.Builder", Name: "WebApplication" or "WebApplicationBuilder" }
            or { Namespace: "ClaimCheck.LocalPostgres" };

    // The classes that use what is asked for, or that do not: directly, or by way of their own assembly or the fixtures.
    private static HashSet<string> TestClasses(bool needs, Func<UsedType, bool> what)
    {
        var projects = Repository.Projects()
            .ToDictionary(project => project.Name, project => project.Path, StringComparer.Ordinal);
        var fixtures = TypeReferences.BeyondItself(projects["ClaimCheck.Testing"]);
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (_, path) in projects.Where(project => project.Key.EndsWith(".Tests", StringComparison.Ordinal)))
        {
            var uses = TypeReferences.BeyondItself(path).Concat(fixtures).ToLookup(use => use.User, use => use.Used);
            var tests = uses.Where(
                use => use.Any(used => used is { Namespace: "Xunit", Name: "FactAttribute" or "TheoryAttribute" }));
            found.UnionWith(tests.Where(test => Reaches(uses, test.Key, what) == needs)
                .Select(test => $"{test.Key.Namespace}.{test.Key.Name}"));
        }

        // Those that derive from it run its tests, and need what they need.
        found.RemoveWhere(test => Repository.Sources.Values.Any(
            source => source.Contains($"public abstract class {test.Split('.')[^1]}\n", StringComparison.Ordinal)));
        return found;
    }

    private static bool Reaches(ILookup<UsedType, UsedType> uses, UsedType from, Func<UsedType, bool> what)
    {
        var reached = new HashSet<UsedType> { from };
        var ahead = new Queue<UsedType>(reached);
        while (ahead.TryDequeue(out var next))
        {
            if (what(next))
                return true;
            foreach (var used in uses[next].Where(reached.Add))
                ahead.Enqueue(used);
        }

        return false;
    }

    private static HashSet<string> Marked(string needs) =>
        [.. from source in Repository.Sources
            from mark in Marks().Matches(source.Value)
            where mark.Groups["needs"].Value == needs
            select $"{string.Join('.', source.Key.Split('/')[1..^1])}.{mark.Groups["class"].Value}"];

    [GeneratedRegex(@"^\[Trait\(""needs"", ""(?<needs>\w+)""\)\]\n(\[.+\]\n)*public sealed (partial )?class (?<class>\w+)",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Marks();
}
