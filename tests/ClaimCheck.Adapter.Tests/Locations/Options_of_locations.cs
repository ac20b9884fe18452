using System.ComponentModel.DataAnnotations;
using ClaimCheck.Adapter.Locations;
using ClaimCheck.Contracts;
using ClaimCheck.Web;
using Microsoft.Extensions.Configuration;

namespace ClaimCheck.Adapter.Tests.Locations;

[Trait("needs", "nothing")]
public sealed class Options_of_locations
{
    [Theory]
    [InlineData("ftp", "Kind is 'ftp'")]
    [InlineData("folder", "Path is ''")]
    [InlineData("s3", "Bucket is ''")]
    [InlineData("sftp", "Host is ''")]
    [InlineData("http", "Url is not")]
    public void What_is_missing_is_named_with_its_consequence(string kind, string expected)
    {
        var failure = Assert.Throws<ValidationException>(() => SharedLocations.Create(new LocationOptions { Kind = kind }));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_can_t_be_connected_to_is_refused()
    {
        var problems = LocationRules.Problems(
            new LocationOptions { Kind = "sftp", Host = "-oProxyCommand=x", User = "-x", Path = "in" }).ToList();
        Assert.Contains(problems, problem => problem.StartsWith("Host is", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.StartsWith("User is", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.StartsWith("KnownHostsFile is", StringComparison.Ordinal));
    }

    [Fact]
    public void An_algorithm_that_is_not_known_is_refused_with_the_nearest_that_is()
    {
        var options = new LocationOptions
        {
            Kind = "sftp",
            HostKeyAlgorithms = ["ssh-ed2519,rsa-sha2-512"],
            Ciphers = ["+aes256-crt"],
            Macs = ["-nothing"],
            KexAlgorithms = ["^curve25519-sha256"],
        };

        var problems = LocationRules.Problems(options)
            .Where(problem => problem.Contains("nearest", StringComparison.Ordinal)).ToList();

        Assert.Equal(3, problems.Count);
        Assert.Contains(problems, problem => problem.StartsWith("HostKeyAlgorithms has 'ssh-ed2519'", StringComparison.Ordinal)
            && problem.Contains("(nearest: ssh-ed25519)", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.Contains("(nearest: aes256-ctr)", StringComparison.Ordinal));
    }

    [Fact]
    public void Algorithms_are_read_as_text_with_commas_and_as_an_array()
    {
        var settings = new Dictionary<string, string?>
        {
            ["Adapter:Kind"] = "sftp",
            ["Adapter:KexAlgorithms"] = "+diffie-hellman-group14-sha1, ecdh-sha2-nistp256",
            ["Adapter:Ciphers:0"] = "aes256-ctr",
            ["Adapter:Ciphers:1"] = "aes128-ctr",
        };
        var known = new KnownSettings("Adapter");
        known.Add("Adapter", typeof(LocationOptions));
        Assert.Empty(known.Faults(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()));
        var options =
            new ConfigurationBuilder().AddInMemoryCollection(settings).Build().GetSection("Adapter").Get<LocationOptions>(
                binder => binder.ErrorOnUnknownConfiguration = true)!;

        Assert.Equal(('+', 2), (options.KexAlgorithms.How, options.KexAlgorithms.Plain.Count));
        Assert.Equal(["aes256-ctr", "aes128-ctr"], options.Ciphers.Plain);
        Assert.Empty(options.Macs.Plain);
    }

    [Fact]
    public void Credentials_in_an_address_are_refused_and_not_repeated()
    {
        var problem = Assert.Single(
            LocationRules.Problems(new LocationOptions { Kind = "http", Url = "https://user:secret@files.example/" }));
        Assert.DoesNotContain("secret", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{dataset}/{yyyy-MM-dd}/{exportId}", "orders/2026-03-04/exp_00000000000000000000000000000001")]
    [InlineData("in/dt={yyyyMMdd_HHmm}/{batchId}", "in/dt=20260304_0506/bat_00000000000000000000000000000002")]
    [InlineData("{yyyy}/{MM}/{dataset} {exportId}", "2026/03/orders exp_00000000000000000000000000000001")]
    public void A_folder_template_is_filled_from_the_batch(string text, string expected)
    {
        Assert.True(FolderTemplate.TryParse(text, out var template, out _));
        Assert.Equal(expected, template.Render("orders", Export, Batch, Snapshot));
        Assert.Equal(expected.Split('/').Length, template.Depth);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{dataset}")]
    [InlineData("{exportId}/..")]
    [InlineData("../{exportId}")]
    [InlineData("/{exportId}")]
    [InlineData("{exportId}//x")]
    [InlineData("{exportId}/{user}")]
    [InlineData("{exportId}/{yyyy/MM}")]
    [InlineData("{exportId}{")]
    [InlineData("_new/{exportId}")]
    [InlineData("{exportId}/a\\b")]
    [InlineData("{exportId}\n")]
    public void A_template_that_could_mix_batches_or_lead_elsewhere_is_refused(string text)
    {
        Assert.False(FolderTemplate.TryParse(text, out _, out var problem));
        Assert.Contains(": ", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData(".ssh")]
    [InlineData("a\nb")]
    public void A_dataset_s_name_chooses_no_folder_of_its_own(string dataset)
    {
        Assert.True(FolderTemplate.TryParse(FolderTemplate.Default, out var template, out _));
        Assert.Equal(LocationFailure.Refused, Assert.Throws<LocationException>(
            () => template.Render(dataset, Export, Batch, Snapshot)).Reason);
    }

    private static readonly ExportId Export = new(new Guid("00000000-0000-0000-0000-000000000001"));
    private static readonly BatchId Batch = new(new Guid("00000000-0000-0000-0000-000000000002"));
    private static readonly DateTimeOffset Snapshot = new(2026, 3, 4, 7, 6, 7, TimeSpan.FromHours(2));
}
