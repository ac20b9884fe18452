using System.Text.RegularExpressions;

namespace ClaimCheck.Service.Tests.House;

/// <summary>What a newcomer may rely on when looking for something.</summary>
[Trait("needs", "nothing")]
public sealed partial class The_house
{
    private const string Service = "src/ClaimCheck.Service/";

    [Fact]
    public void Links_are_minted_in_one_place() =>
        Assert.Equal(
            [$"{Service}Links/LinkMinter.cs"],
            Callers("SignAsync(").Where(path => !path.StartsWith($"{Service}Staging/", StringComparison.Ordinal)));

    [Fact]
    public void Links_to_write_are_minted_in_one_place() =>
        Assert.All(
            (string[])["SignPutAsync(", "SignPartAsync("],
            call => Assert.Equal(
                [$"{Service}Links/LinkMinter.cs"],
                Callers(call).Where(path => !path.StartsWith($"{Service}Staging/", StringComparison.Ordinal))));

    [Fact]
    public void Urls_are_presigned_in_one_place() =>
        // Staging's links in one place, and in one other those to the buckets of consumers that the adapter writes to.
        Assert.Equal(
            ["src/ClaimCheck.Adapter/Locations/S3Location.cs", $"{Service}Staging/S3Signer.cs"], Callers("GetPreSignedURL"));

    [Fact]
    public void Every_connection_says_whether_it_goes_through_a_proxy()
    {
        // The machine's own, never for loopback; but webhooks, which go through the one that is set for them.
        string[] webhooks =
            [$"{Service}Publishing/Webhooks/WebhookAddresses.cs", $"{Service}Publishing/Webhooks/WebhookSender.cs"];
        Assert.Equal(Callers("SocketsHttpHandler").Except(webhooks), Callers("Proxy = SystemProxy.Instance"));
        Assert.Empty(Callers("new HttpClient()").Concat(Callers("new HttpClientHandler")));
        Assert.Equal(["src/ClaimCheck.Aws/S3Setup.cs"], Callers("RequestChecksumCalculation.WHEN_REQUIRED"));
        Assert.All(Callers("new AmazonS3Config"), path =>
            Assert.Contains("S3Setup.Apply(", Repository.Sources[path], StringComparison.Ordinal));
    }

    [Fact]
    public void Redirects_are_answered_in_one_place() =>
        // To a link alone, and never to who sends a key: LinkRedirect says so, and its users ask it.
        Assert.Equal(
            [$"{Service}Batches/BatchEndpoints.cs", $"{Service}BulkJobs/Jobs/JobEndpoints.cs",
                "src/ClaimCheck.Web/LinkRedirect.cs"],
            Callers("Status307").Concat(Callers("LinkRedirect.WouldCarryAKey(")).Concat(Callers("TypedResults.Redirect"))
                .Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void Answers_of_HTTP_are_made_in_endpoints() =>
        // The domain says what became of a request, or why nothing did (Refused). What every call shares answers too.
        Assert.Empty(Repository.Sources
            .Where(source => source.Key.StartsWith(Service, StringComparison.Ordinal)
                || source.Key.StartsWith("src/ClaimCheck.Adapter/", StringComparison.Ordinal))
            .Where(source => !EndpointFiles().IsMatch(source.Key) && Answers().IsMatch(Comments().Replace(source.Value, "")))
            .Select(source => source.Key));

    [Fact]
    public void Events_are_published_in_one_place_and_written_with_what_they_tell()
    {
        // Only the relay gives positions; every event is inserted by the outbox, and sent to SNS from one place.
        Assert.Equal([$"{Service}Publishing/OutboxRelay.cs"], Callers("SET position = next.head"));
        Assert.Equal([$"{Service}Publishing/TopicPublisher.cs"], Callers("sns.PublishBatchAsync("));
        Assert.Empty(Callers("sns.PublishAsync("));
        Assert.Equal("Outbox.cs", Path.GetFileName(Assert.Single(Callers("INSERT INTO outbox"))));
    }

    [Fact]
    public void A_batch_is_revoked_in_one_place()
    {
        Assert.Equal([$"{Service}Revocation/BatchRevoker.cs"], Callers(
            "ExportState.Revoked : ExportState.Cancelled, caller.Name, reason"));
        Assert.Empty(Callers("state = 'revoked'"));
    }

    [Fact]
    public void The_table_for_newcomers_names_what_exists_and_is_the_same_on_both_pages()
    {
        var table = Newcomers("README.md");
        Assert.Equal(table, Newcomers("CONTRIBUTING.md"));
        var rows = Rows().Matches(table).ToList();
        Assert.True(rows.Count >= 5, "The table has its five questions at least.");
        Assert.Equal(table.Count(c => c == '\n') - 1, rows.Count);
        foreach (var row in rows)
        {
            var (name, path) = (row.Groups["name"].Value, row.Groups["path"].Value);
            Assert.True(File.Exists(Path.Combine(Repository.Root, path)), $"{path} is not there.");
            // What is shown is what is opened.
            var shown = name.Split('/')[^1];
            Assert.Contains($"/{shown}", path, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void No_file_is_longer_than_three_hundred_lines() =>
        Assert.DoesNotContain(
            Repository.Sources.Select(source => (source.Key, Lines: source.Value.Count(c => c == '\n'))),
            source => source.Lines > 300);

    [Fact]
    public void A_folder_is_named_after_the_domain()
    {
        string[] banned = ["Models", "Helpers", "Interfaces", "Extensions", "Common", "Utils", "Managers", "Services", "Misc"];
        Assert.DoesNotContain(
            Repository.Sources.Keys, path => path.Split('/')[..^1].Intersect(banned, StringComparer.OrdinalIgnoreCase).Any());
    }

    private static string Newcomers(string page)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, page));
        var table = text[text.IndexOf("| a newcomer asks | opens |", StringComparison.Ordinal)..];
        return table[..table.IndexOf("\n\n", StringComparison.Ordinal)];
    }

    private static List<string> Callers(string text) =>
        [.. Repository.Sources.Where(source =>
            source.Key.StartsWith("src/", StringComparison.Ordinal) && source.Value.Contains(text, StringComparison.Ordinal))
            .Select(source => source.Key).Order(StringComparer.Ordinal)];

    [GeneratedRegex(@"Endpoints?\.cs$|^src/[^/]+/Http/", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex EndpointFiles();

    [GeneratedRegex(@"\b(IResult|TypedResults|ProblemResult|HttpResults|RangedAnswer|LinkRedirect)\b|\bResults<|\bProblems\.",
        RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Answers();

    [GeneratedRegex(@"^\s*//.*$", RegexOptions.Multiline, 5000)]
    private static partial Regex Comments();

    [GeneratedRegex(@"^\| [^|\n]+ \| \[`(?<name>[^`]+)`\]\((?<path>[^)]+)\)[^|\n]*\|$",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex Rows();
}
