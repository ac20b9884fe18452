using System.Text.RegularExpressions;
using ClaimCheck.Service.BulkJobs;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Http;
using ClaimCheck.Service.ProducerBatches;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Publishing.Subscriptions;
using ClaimCheck.Service.Publishing.Webhooks;
using ClaimCheck.Service.Receipts;
using ClaimCheck.Service.Schedules;
using ClaimCheck.Service.Staging;
using ClaimCheck.Service.Startup;
using ClaimCheck.Service.Tests.House;
using ClaimCheck.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace ClaimCheck.Service.Tests.Settings;

/// <summary>A setting under a name that is not known would silently do nothing: it stops the start, with the nearest name
/// that there is.</summary>
public sealed partial class Settings_that_are_not_known
{
    [Theory]
    [InlineData("ClaimCheck:Exporting:Paralelism", "4", "ClaimCheck:Exporting:Parallelism")]
    [InlineData("ClaimCheck:Exporting:Parallelism:Max", "4", "ClaimCheck:Exporting:Parallelism")]
    [InlineData("ClaimCheck:Stging:Bucket", "b-b-b", "ClaimCheck:Staging:Bucket")]
    [InlineData("ClaimCheck:Bucket", "b-b-b", "ClaimCheck:Staging:Bucket")]
    [InlineData("ClaimCheck:AdmnKey", "secret-secret-secret-secret-secret", "ClaimCheck:AdminKey")]
    [InlineData("ClaimCheck:PublicURI", "https://x", "ClaimCheck:PublicUrl")]
    [InlineData("ClaimCheck:BulkJobs:ClaimHosts:0:Adress", "https://x", "ClaimCheck:BulkJobs:ClaimHosts:0:Address")]
    [InlineData("ClaimCheck:Webhooks:Retries:0:Delay", "1", "ClaimCheck:Webhooks:Retries:0")]
    [InlineData("CLAIMCHECK:nothing", "1", "ClaimCheck:")]
    public void Each_is_named_with_the_nearest(string name, string value, string nearest)
    {
        var refusal = Refusal((name, value));
        Assert.Contains($"{name} is set, but that setting does not exist", refusal, StringComparison.OrdinalIgnoreCase);
        Assert.Contains($"The nearest existing one: {nearest}", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ClaimCheck:Exporting:Parallelism", "two", "is 'two', but must be a whole number")]
    [InlineData("ClaimCheck:Exporting:Parallelism", "", "is '', but must be a whole number")]
    [InlineData("ClaimCheck:Exporting:Parallelism", "99999999999", "is '99999999999', but must be a whole number")]
    [InlineData("ClaimCheck:Exporting:Lease", "soon", "is 'soon', but must be a time")]
    [InlineData("ClaimCheck:Webhooks:AllowPrivateAddresses", "yes", "is 'yes', but must be true or false")]
    [InlineData("ClaimCheck:BehindTls", "maybe", "is 'maybe', but must be true or false")]
    [InlineData("ClaimCheck:Webhooks:Retries:1", "x", "is 'x', but must be a time")]
    [InlineData("ClaimCheck:Webhooks:Retries", "00:00:05", "has a value, but is a section or list")]
    [InlineData("ClaimCheck:Staging", "s3", "has a value, but is a section or list")]
    [InlineData("ClaimCheck:PublicUrl", "exports.example", "is 'exports.example', but must be http(s)://host")]
    [InlineData(
        "ClaimCheck:PublicUrl", "https://exports.example/?a=b", "is 'https://exports.example/?a=b', but must be http(s)://host")]
    public void A_value_that_can_t_be_used_is_said_with_the_rule(string name, string value, string fault) =>
        Assert.Contains($"{name} {fault}", Refusal((name, value)), StringComparison.Ordinal);

    [Fact]
    public void All_are_said_at_once()
    {
        var lines = Refusal(("ClaimCheck:Rolls", "api"), ("ClaimCheck:Exporting:Tris", "1"),
            ("ClaimCheck:Exporting:Tries", "many"), ("ClaimCheck:Schedules:Grace", "00:00:00")).Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.All((string[])["Rolls", "Exporting:Tris", "Exporting:Tries", "Schedules:Grace"], name =>
            Assert.Single(lines, line => line.StartsWith($"ClaimCheck:{name} ", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_is_known_or_of_others_passes()
    {
        Builder(
            ("ClaimCheck:Roles", "api,worker"), ("claimcheck:exporting:PARALLELISM", "3"),
            ("ClaimCheck:BulkJobs:ClaimHosts:0:Address", "https://x"),
            ("ClaimCheck:BulkJobs:ClaimHosts:0:LinkHosts:0", "x"), ("ClaimCheck:BehindTls", ""), ("CLAIMCHECK_URL", "x"),
            ("ClaimCheckOther:Name", "x"), ("Logging:LogLevel:Default", "Warning"))
            .CheckSettings();
        Builder(("ClaimCheck:Roles:0", "api"), ("ClaimCheck:Roles:1", "worker")).CheckSettings();
    }

    [Fact]
    public void What_is_read_by_name_is_known()
    {
        var read = Repository.Sources.Where(source => source.Key.StartsWith("src/ClaimCheck.Service/", StringComparison.Ordinal))
            .SelectMany(source => Reads().Matches(source.Value)).Select(match => match.Groups["name"].Value).Distinct().ToList();
        Assert.True(read.Count > 5, "Settings are read by name in several places.");
        Assert.All(read, name => Assert.Contains(name, Known()));
    }

    [Fact]
    public void The_page_of_settings_has_them_all_and_no_others()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "settings.md"));
        var named = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var row in page.Split('\n').Where(line => line.StartsWith("| `ClaimCheck:", StringComparison.Ordinal)))
        {
            var before = "";
            foreach (var name in Quoted().Matches(row.Split('|')[1]).Select(match => match.Groups["name"].Value))
            {
                // The next ones of a row are named by their ends.
                before = name[0] != ':' ? name : before[..before.LastIndexOf(':')] + name;
                named.Add(Plain(before));
            }
        }

        Assert.Equal(Known(), named);
    }

    [Fact]
    public void No_page_names_another()
    {
        string[] pages =
            [Path.Combine(Repository.Root, "README.md"), .. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md")];
        var named = pages.SelectMany(page => Named().Matches(File.ReadAllText(page)))
            .Select(match => Plain(match.Value.Replace("__", ":", StringComparison.Ordinal))).Distinct().ToList();

        Assert.True(named.Count > 20, "Settings are named on the pages.");
        Assert.All(named, name =>
            Assert.Contains(Known(), known => known == name || known.StartsWith($"{name}:", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_start_ends_with_a_line_for_each_and_exit_code_1()
    {
        var (code, output) = await ServiceProcess.RunAsync(new Dictionary<string, string>
        {
            ["ClaimCheck__Exporting__Paralelism"] = "4",
            ["CLAIMCHECK__BULKJOBS__LEESE"] = "1",
            ["CLAIMCHECK_ANYTHING"] = "x",
            ["ClaimCheck__Http__MaxConnections"] = "all",
        });
        Assert.Equal(1, code);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.StartsWith("claimcheck: ClaimCheck:", line, StringComparison.OrdinalIgnoreCase));
    }

    private static SortedSet<string> Known() => new(Builder().SettingNames().Select(Plain), StringComparer.Ordinal);

    // The operator's own names and numbers as {n}; a list as its values.
    private static string Plain(string name) =>
        OwnName().Replace(name, "{n}") is var plain && plain.EndsWith(":{n}", StringComparison.Ordinal) ? plain[..^4] : plain;

    private static string Refusal(params (string Name, string Value)[] settings) =>
        Assert.Throws<StartupException>(() => Builder(settings).CheckSettings()).Message;

    private static WebApplicationBuilder Builder(params (string Name, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(
            settings.Select(setting => new KeyValuePair<string, string?>(setting.Name, setting.Value)));
        return builder.AddStartup().AddHttp().AddCatalog().AddDatasets().AddStaging().AddExporting().AddPublishing().AddWebhooks()
            .AddSubscriptions().AddReceipts().AddSchedules()
            .AddProducerBatches().AddBulkJobs();
    }

    [GeneratedRegex(@"onfiguration\[""(?<name>ClaimCheck:[^""{]+)""\]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Reads();

    [GeneratedRegex(@"\bClaimCheck(__|:)(\w|\{\w+\}|:(?=[\w{]))+", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Named();

    [GeneratedRegex(@"<name>|\{\w+\}", RegexOptions.None, 1000)]
    private static partial Regex OwnName();

    [GeneratedRegex("`(?<name>[^`]+)`", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Quoted();
}
