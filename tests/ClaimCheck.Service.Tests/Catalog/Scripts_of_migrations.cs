using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ClaimCheck.Service.Tests.House;

namespace ClaimCheck.Service.Tests.Catalog;

/// <summary>Scripts that landed are part of catalogs that are in use: they stay as they are, and the next ones
/// only add to them.</summary>
[Trait("needs", "nothing")]
public sealed partial class Scripts_of_migrations
{
    // From here on a process of the version before works on beside a new one.
    private const int OnlyAddsFrom = 19;

    // SHA-256 of each script, with LF. A new script is added here; a line that is here never changes.
    private static readonly Dictionary<string, string> Landed = new(StringComparer.Ordinal)
    {
        ["0001_exports"] = "97c8bc2bf2db91f549485e628882aae38efb40bc6f8ae8751fddc2f13599e93b",
        ["0002_relays"] = "71083690d6a556c7036d11c70a11bddbaba7272012313eb2a26db00b97e01272",
        ["0003_subscriptions"] = "b18c52e7b69532682a11647e8773e6629e593298b0f97ac6292a1a9c002fdba4",
        ["0004_receipts"] = "cb82d4aa4820a0a2756f5a9b5fffab064ef2f43ed4fa8bcc43120094c02ce6fe",
        ["0005_bulk_jobs"] = "9926834ecdeb84d8ac6255e4cb28e9afcebf3a190927e3ed46f47f0388d73a05",
        ["0006_schedules"] = "7561700374fa62195a97284fc6345e82c52438d350e2cec63d3274860fbe81b6",
        ["0007_uploads"] = "67b4e17a4825ccc70ad3fe7562f378b7cd13e31f22c7608735ccf92d104e0c73",
        ["0008_bulk_job_retries"] = "df4116b57bfe307ca46e7616a7048da21e57f4fc8c602c615a66244bb8ad70ad",
        ["0009_framing"] = "139577e23fb776fd8f929ce7a9fdd83d586fc1fb31b00df2eceaa1bc5389eaaf",
        ["0010_read_until"] = "d69498752e1251c5ae863646188237bea9e5c41b836ae60dd06016ded5892c76",
        ["0011_events"] = "e4d0cdbb9321c76598458158e5fafc3d263b365aa0e6bcf4ffea5c115537d235",
        ["0012_bounds"] = "59c14fa489d161a7d23c59666e34ba2bc585b3770747d05ab5f492564c54b123",
        ["0013_shares_and_lists"] = "8a3c56821074781fd91cb2741901f42f3c1a135c456decb2927fd4efde1276f7",
        ["0014_ended_by"] = "6b89e3fde27b5ba3256f64c2aa238c33612cefa17364d7b7a46c8c2ab44798df",
        ["0015_webhook_content_types"] = "bba5d8cd55f6b0f82ea49e6b368758f6430daf7dbbf8efb1060666885b58fd13",
        ["0016_staging_places"] = "d71c15f0b04888de3a74ebd53182cb7b1601ed2a79cf3f89ebff3a5ed6d9465c",
        ["0017_open"] = "8d6b2303fb8775185b713714fd24b0c05dd32d10e6d9aa298af7fdba239a52e0",
        ["0018_names"] = "b3fb588390606de50955f8f153e503a16d431ded9a52ae3bb041a9951e578a5f",
        ["0019_ranges"] = "23853f1b22ab3c2f09baea350add1835b2bb204ba0b1a8b01d1315a8efc9e2f6",
        ["0020_rates"] = "1b25035d93f7e09ad1e85c6531f075194bb97b7c9986934b61bdeb3e337bfe57",
    };

    private static readonly Dictionary<string, string> Scripts = Directory
        .GetFiles(Path.Combine(Repository.Root, "src", "ClaimCheck.Service", "Catalog", "Migrations"))
        .ToDictionary(file => Path.GetFileNameWithoutExtension(file), file => File.ReadAllText(file).ReplaceLineEndings("\n"),
            StringComparer.Ordinal);

    [Fact]
    public void Their_numbers_have_no_gap_and_no_duplicate() =>
        Assert.Equal(Enumerable.Range(1, Scripts.Count), Scripts.Keys.Select(name => int.Parse(name[..4])).Order());

    [Fact]
    public void What_landed_never_changes() =>
        Assert.Equal(
            Landed.OrderBy(script => script.Key, StringComparer.Ordinal),
            Scripts.OrderBy(script => script.Key, StringComparer.Ordinal)
                .Select(script => KeyValuePair.Create(
                    script.Key, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(script.Value))))));

    [Fact]
    public void They_only_add() =>
        Assert.All(Scripts.Where(script => int.Parse(script.Key[..4]) >= OnlyAddsFrom), script =>
            Assert.Null(WhatItTakes(script.Value)));

    [Theory]
    [InlineData("DROP TABLE exports;", "DROP")]
    [InlineData("ALTER TABLE exports\n    RENAME COLUMN tries TO failures;", "RENAME")]
    [InlineData("ALTER TABLE exports ALTER COLUMN tries TYPE bigint;", "ALTER COLUMN tries TYPE")]
    [InlineData("ALTER TABLE exports ALTER COLUMN reason SET NOT NULL;", "ALTER COLUMN reason SET NOT NULL")]
    [InlineData("ALTER TABLE exports ADD COLUMN x text NULL, ADD COLUMN y text NOT NULL;", "ADD COLUMN y text NOT NULL")]
    [InlineData("ALTER TABLE exports ADD COLUMN y text NOT NULL DEFAULT 'DROP';", "DROP")]
    [InlineData("ALTER TABLE exports ADD COLUMN y text NOT NULL DEFAULT ''; -- DROP", null)]
    [InlineData("ALTER TABLE exports DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (true);", null)]
    [InlineData("ALTER TABLE exports DROP CONSTRAINT c, ADD CONSTRAINT d CHECK (true);", "DROP")]
    public void What_takes_something_from_the_version_before_is_found(string script, string? found) =>
        Assert.Equal(found, WhatItTakes(script));

    // The views are for replicas of the version before; a statement here that reads one would go unnoticed.
    [Fact]
    public void Only_the_version_before_uses_the_old_names_of_tables() =>
        Assert.DoesNotContain(
            Repository.Sources.Where(source => source.Key.StartsWith("src/ClaimCheck.Service/", StringComparison.Ordinal))
                .Select(source => (source.Key, Found: OldName().Match(source.Value).Value)),
            source => source.Found.Length > 0);

    // A check may be replaced by one of its name: that is how a state is added.
    private static string? WhatItTakes(string script) =>
        Takes().Match(Replaced().Replace(Comment().Replace(script, ""), "")) is { Success: true } match ? match.Value : null;

    [GeneratedRegex(
        @"\b(FROM|JOIN|INTO|UPDATE)\s+(deletions|subscriptions|files|uploads|upload_batches|upload_files|deliveries|gone_keys|turns|feed|relays|framing)\b",
        RegexOptions.ExplicitCapture,
        5000)]
    private static partial Regex OldName();

    [GeneratedRegex("--.*", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Comment();

    [GeneratedRegex(@"DROP CONSTRAINT (?<name>\w+),\s*ADD CONSTRAINT \k<name>\b", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Replaced();

    [GeneratedRegex(
        @"\b(DROP|RENAME|TRUNCATE|DELETE FROM|ALTER COLUMN \w+ (SET DATA )?TYPE|ALTER COLUMN \w+ SET NOT NULL|ADD COLUMN [^,;]*\bNOT NULL(?![^,;]*\bDEFAULT))\b",
        RegexOptions.ExplicitCapture,
        5000)]
    private static partial Regex Takes();
}
