using System.Text.RegularExpressions;

namespace ClaimCheck.Service.Tests.House;

/// <summary>A class of tests is the beginning of the sentences that its tests end: <c>Listening_to_a_queue</c>,
/// <c>What_a_source_refuses</c>.</summary>
[Trait("needs", "nothing")]
public sealed partial class Names_of_tests
{
    [Fact]
    public void A_class_of_tests_is_named_by_words_with_underscores_between_and_so_is_its_file()
    {
        var sources = Repository.Sources
            .Where(source => source.Value.Contains("    [Fact", StringComparison.Ordinal)
                || source.Value.Contains("    [Theory", StringComparison.Ordinal))
            .Select(source =>
                (Path: source.Key, Classes: Classes().Matches(source.Value).Select(match => match.Groups["name"].Value).ToList()))
            .ToList();

        Assert.True(sources.Count > 200, $"{sources.Count} files only: tests are not found as they are written.");
        Assert.Empty(sources.SelectMany(
            source => source.Classes.Where(name => Joined().IsMatch(name)).Select(name => $"{source.Path}: {name}")));
        Assert.Empty(sources.Where(source => source.Classes is [var only] && only != Path.GetFileName(source.Path).Split('.')[0])
            .Select(source => source.Path));
    }

    // Those at the left margin: what is nested serves them.
    [GeneratedRegex(@"^public (sealed |abstract |static |partial )*class (?<name>\w+)",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Classes();

    [GeneratedRegex("[a-z0-9][A-Z]", RegexOptions.None, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Joined();
}
