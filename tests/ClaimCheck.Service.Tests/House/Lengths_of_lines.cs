using System.Globalization;
using System.Text.RegularExpressions;

namespace ClaimCheck.Service.Tests.House;

/// <summary>
/// Lines are as long as <c>.editorconfig</c> allows at most. In tests, data in one piece may be longer: the lines of a raw string
/// literal of several lines, and a line that begins and ends with a string literal.
/// </summary>
[Trait("needs", "nothing")]
public sealed partial class Lengths_of_lines
{
    private static readonly int Longest = int.Parse(
        MaxLineLength().Match(File.ReadAllText(Path.Combine(Repository.Root, ".editorconfig"))).Groups["columns"].Value,
        CultureInfo.InvariantCulture);

    [Fact]
    public void No_line_is_longer_than_the_columns_that_the_editor_is_told() =>
        Assert.Empty(Repository.Sources.OrderBy(source => source.Key, StringComparer.Ordinal)
            .SelectMany(source => TooLong(source.Key, source.Value)));

    [Fact]
    public void A_line_that_is_too_long_is_found()
    {
        var (words, data) = (string.Concat(Enumerable.Repeat("word ", Longest / 5)), new string('x', Longest));
        var text = $$""""
            Call("{{data}}");
            // {{words}}ends
            var sql = $"""
                SELECT '{{data}}'
                """;
                "{{data}}",
                + @"{{data}}", 7);
                $"""{{data}}{one}""")).Status);
                """{{data}}"""u8
            Call("""a""", """{{data}}""");
            """";

        Assert.Equal("1 2 4 6 7 8 9 10", Lines("src/a.cs"));
        Assert.Equal("1 2 7 10", Lines("tests/a.cs"));
        Assert.Empty(TooLong("src/a.cs", new string('x', Longest)));
        Assert.StartsWith("src/a.cs:1 has 131 columns: xx", TooLong("src/a.cs", $"{data}x").Single(), StringComparison.Ordinal);

        string Lines(string path) => string.Join(' ', TooLong(path, text).Select(found => found.Split(' ', ':')[1]));
    }

    private static IEnumerable<string> TooLong(string path, string text)
    {
        var isTest = path.StartsWith("tests/", StringComparison.Ordinal);
        var (isRaw, number) = (false, 0);
        foreach (var line in text.Split('\n'))
        {
            number++;
            if (line.Length > Longest && !(isTest && (isRaw || Data().IsMatch(line))))
                yield return $"{path}:{number} has {line.Length} columns: {line.Trim()}";
            isRaw ^= RawQuotes().Count(Verbatim().Replace(line, "")) % 2 == 1;
        }
    }

    [GeneratedRegex(@"^max_line_length = (?<columns>[0-9]+)$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex MaxLineLength();

    // Brackets may follow, and a member of what they close.
    [GeneratedRegex("""^\s*([+?:] )?[$@]*".*"(u8)?[)\]},;]*(\.\w+)?[)\]},;]*$""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Data();

    [GeneratedRegex("\"{3,}", RegexOptions.None, 1000)]
    private static partial Regex RawQuotes();

    [GeneratedRegex("@\"([^\"]|\"\")*\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Verbatim();
}
