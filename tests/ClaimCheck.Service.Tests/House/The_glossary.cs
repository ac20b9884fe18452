using System.Text.RegularExpressions;

namespace ClaimCheck.Service.Tests.House;

/// <summary>GLOSSARY.md is about the code that there is: its types exist, and no type has the name of a word
/// that it excludes.</summary>
[Trait("needs", "nothing")]
public sealed partial class The_glossary
{
    // What no type's name in src may contain, by the word that stands in its place.
    private static readonly (string Word, string Pattern)[] Held =
    [
        ("worker", "Cleaner|Settler|Sweeper|ReceiptSender|(Receipt|Schedule|Retention)Clock|Daemon|Janitor|Reaper|Scavenger"),
        ("runner", "Manager|Engine"),
        ("revoke", "Recall|Retract|Withdraw"),
        ("erase", "Purge|Wipe"),
        ("lease", "Reservation|WorkingUntil"),
        ("transient, terminal", "Retryable|Permanent"),
        ("watermark", "Bookmark|HighWater"),
        ("ledger", "Reckoning|Board|Accounts$|Books$|Bookkeep"),
        ("staging", "BlobStore"),
        ("landing", "IInbox|FolderInbox|S3Inbox|InboxEndpoint"),
        ("producer batch", "^Upload(ed(Csv|Ndjson|Records)|sOptions)$"),
        ("options", "(Webhook|Subscription|Password|Uploads|Import|Adapter)Settings$"),
        ("chunk", "^Unit"),
        ("rejects", "Bucket"),
        ("record file", "^Feed(File|Batch)$|IFeedSource"),
        ("subscription", "Registration$(?<!ClaimCheckConsumerRegistration)"),
    ];

    [Fact]
    public void Every_type_of_the_glossary_exists()
    {
        var declared = Declared();
        var rows = Entries();

        Assert.True(rows.Count >= 60, $"The glossary has {rows.Count} rows only: its tables are not read as they are written.");
        Assert.All(rows, row => Assert.NotEmpty(row.Types));
        Assert.Empty(
            rows.SelectMany(row => row.Types.Where(type => !declared.Contains(type)).Select(type => $"{row.Word}: {type}")));
    }

    [Fact]
    public void A_word_stands_in_one_row() =>
        Assert.Empty(Entries().GroupBy(row => row.Word, StringComparer.Ordinal).Where(group => group.Count() > 1)
            .Select(group => group.Key));

    [Fact]
    public void No_type_has_the_name_of_an_excluded_word()
    {
        var words = Entries().Select(row => row.Word).ToHashSet(StringComparer.Ordinal);
        Assert.All(Held, held => Assert.Contains(held.Word, words));

        Assert.Empty(
            from held in Held
            from type in Declared().Order(StringComparer.Ordinal)
            where Regex.IsMatch(type, held.Pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(5))
            select $"{type}: the word is {held.Word}");
    }

    private static List<(string Word, string[] Types)> Entries() =>
        [.. Rows().Matches(File.ReadAllText(Path.Combine(Repository.Root, "GLOSSARY.md")))
            .Where(row => row.Groups["word"].Value != "word")
            .Select(row => (row.Groups["word"].Value,
                Quoted().Matches(row.Groups["types"].Value).Select(match => match.Groups["type"].Value).ToArray()))];

    private static HashSet<string> Declared() =>
        [.. Repository.Sources.Where(source => source.Key.StartsWith("src/", StringComparison.Ordinal))
            .SelectMany(source => Declarations().Matches(source.Value)).Select(match => match.Groups["type"].Value)];

    [GeneratedRegex(@"^\| (?<word>[^|\n-][^|\n]*) \| [^|\n]+ \| [^|\n]+ \| (?<types>[^|\n]*) ?\|$",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline, 5000)]
    private static partial Regex Rows();

    [GeneratedRegex("`(?<type>[^`]+)`", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Quoted();

    [GeneratedRegex(
        @"^\s*((public|internal|private|protected|file|sealed|static|abstract|partial|readonly|ref) )*(class|struct|interface|enum|record( struct| class)?) (?<type>[A-Z]\w*)",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline,
        5000)]
    private static partial Regex Declarations();
}
