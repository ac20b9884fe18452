using System.Text.RegularExpressions;

namespace ClaimCheck.Service.Tests.House;

/// <summary>What the pages (*.md) link to exists.</summary>
[Trait("needs", "nothing")]
public sealed partial class Pages_of_the_documentation
{
    private static readonly string[] NotOurs = ["bin", "obj", "node_modules", "TestResults"];

    private static readonly Dictionary<string, string> Pages = Directory
        .EnumerateFiles(Repository.Root, "*.md", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'))
        .Where(path => !path.Split('/').Any(part => part[0] == '.' || NotOurs.Contains(part, StringComparer.Ordinal)))
        .ToDictionary(path => path, path => File.ReadAllText(Path.Combine(Repository.Root, path)), StringComparer.Ordinal);

    [Fact]
    public void Every_link_leads_to_a_file_and_every_anchor_to_a_heading()
    {
        var links = Pages
            .SelectMany(page => Links().Matches(Prose(page.Value))
                .Select(link => (Page: page.Key, Target: link.Groups["target"].Value)))
            .Where(link => !link.Target.Contains("://", StringComparison.Ordinal)).ToList();

        Assert.True(links.Count > 40, $"{links.Count} links only: they are not found as they are written.");
        Assert.Empty(links.Select(link => Fault(link.Page, link.Target)).OfType<string>());
    }

    [Fact]
    public void Every_page_of_the_documentation_is_linked_from_the_readme() =>
        Assert.All(
            Pages.Keys.Where(page => page != "README.md"
                && (page.StartsWith("docs/", StringComparison.Ordinal) || !page.Contains('/', StringComparison.Ordinal))),
            page => Assert.Contains($"]({page})", Pages["README.md"], StringComparison.Ordinal));

    [Fact]
    public void The_readme_has_two_hundred_lines_at_most() => Assert.InRange(Pages["README.md"].Count(c => c == '\n'), 50, 200);

    private static string? Fault(string page, string target)
    {
        var (path, anchor) = target.Split('#', 2) is [var before, var after] ? (before, after) : (target, null);
        var full = Path.Combine(Repository.Root, path.Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, path));
        if (!Path.Exists(full))
            return $"{page}: {target} does not exist.";
        var file = Path.GetRelativePath(Repository.Root, Path.GetFullPath(full)).Replace('\\', '/');
        var isThere = anchor is null || (Pages.TryGetValue(file, out var text) && Anchors(text).Contains(anchor));
        return isThere ? null : $"{page}: {target} is not a heading.";
    }

    // As GitHub names them: of equal headings, the second one ends in -1.
    private static HashSet<string> Anchors(string page)
    {
        var anchors = new HashSet<string>(StringComparer.Ordinal);
        foreach (var heading in Headings().Matches(Prose(page)).Select(match => match.Groups["text"].Value.Trim()))
        {
            var anchor = NotInAnchors().Replace(Links().Replace(heading, "${text}"), "").Replace(' ', '-').ToLowerInvariant();
            for (var (at, name) = (1, anchor); !anchors.Add(name); at++)
                name = $"{anchor}-{at}";
        }

        return anchors;
    }

    // Examples of code have brackets and hashes of their own.
    private static string Prose(string page) => Fences().Replace(page, "");

    [GeneratedRegex(@"\[(?<text>[^\]\n]*)\]\((?<target>[^)\s]+)\)", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Links();

    [GeneratedRegex(@"^#{1,6} (?<text>.+)$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 5000)]
    private static partial Regex Headings();

    [GeneratedRegex(@"[^\p{L}\p{N}\p{M} _-]", RegexOptions.None, 5000)]
    private static partial Regex NotInAnchors();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline, 5000)]
    private static partial Regex Fences();
}
