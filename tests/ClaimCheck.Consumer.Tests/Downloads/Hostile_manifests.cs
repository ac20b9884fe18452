using System.Text;
using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Tests.Downloads;

public class Hostile_manifests
{
    public static TheoryData<string> Lies() =>
    [
        "negative records", "overflowing bytes", "a path as name", "a name twice", "another batch", "no sha", "a huge index",
        "an unknown format",
        "too many files", "no columns", "a key that is no column", "a link with a user", "a link to a file",
    ];

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task A_manifest_that_lies_is_refused_before_any_file_is_fetched(string lie)
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(30));
        server.Manifests = manifest => Lie(manifest, lie);

        var failure = await Assert.ThrowsAsync<IntegrityException>(() => Reading_a_batch.ReadAsync(server));

        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(server.Fetches, fetch => fetch.Name.EndsWith(".gz", StringComparison.Ordinal));
    }

    private static Manifest Lie(Manifest manifest, string lie)
    {
        var file = manifest.Files[0];
        return lie switch
        {
            "negative records" => manifest with { Files = [file with { Records = -1 }] },
            "overflowing bytes" =>
                manifest with { Files = [file with { Bytes = long.MaxValue }, file with { Name = "b", Bytes = long.MaxValue }] },
            "a path as name" => manifest with { Files = [file with { Name = "../../etc/passwd" }] },
            "a name twice" => manifest with { Files = [file, file] },
            "another batch" => manifest with { BatchId = BatchId.New() },
            "no sha" => manifest with { Files = [file with { Sha256 = "abc" }] },
            "a huge index" => manifest with { Files = [file with { Index = file.Index with { Bytes = long.MaxValue } }] },
            "an unknown format" => manifest with { Format = "parquet" },
            "too many files" =>
                manifest with { Files = [.. Enumerable.Range(0, 10_001).Select(i => file with { Name = $"f{i}" })] },
            "no columns" => manifest with { Columns = [] },
            "a key that is no column" => manifest with { Key = "nothing" },
            "a link with a user" => manifest with
            {
                Files = [file with { Index = file.Index with { Url = new Link("http://me:secret@127.0.0.1/") } }],
            },
            "a link to a file" =>
                manifest with { Files = [file with { Index = file.Index with { Url = new Link("file:///etc/passwd") } }] },
            _ => throw new ArgumentOutOfRangeException(nameof(lie)),
        };
    }

    public static TheoryData<string> IndexLies() =>
        ["a gap", "an overlap", "a negative offset", "a bomb", "no records", "too many records", "behind the end", "no sha"];

    [Theory]
    [MemberData(nameof(IndexLies))]
    public async Task An_index_that_lies_is_refused_before_its_file_is_fetched(string lie)
    {
        var honest = Order.Batch(30);
        await using var server = await StagingServer.StartAsync(new StagedTestBatch
        {
            Columns = honest.Columns,
            Rows = honest.Rows,
            Describe = block => lie switch
            {
                "a gap" => block with { Offset = block.Offset + (block.Offset > 200 ? 1 : 0) },
                "an overlap" => block with { Offset = block.Offset / 2 },
                "a negative offset" => block with { Offset = -block.Offset },
                "a bomb" => block with { UncompressedBytes = 1L << 40 },
                "no records" => block with { Records = 0 },
                "too many records" => block with { Records = long.MaxValue },
                "behind the end" => block with { Bytes = long.MaxValue },
                _ => block with { Sha256 = "x" },
            },
        });

        await Assert.ThrowsAsync<IntegrityException>(() => Reading_a_batch.ReadAsync(server));

        Assert.DoesNotContain(server.Fetches, fetch => fetch.Name.EndsWith(".gz", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_index_deeper_than_an_index_is_refused()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(10));
        server.Batch.Objects["part-00001.index.json"] =
            Encoding.UTF8.GetBytes("{\"blocks\":" + new string('[', 5_000) + new string(']', 5_000) + "}");

        await Assert.ThrowsAsync<IntegrityException>(() => Reading_a_batch.ReadAsync(server));
    }

    [Fact]
    public async Task Fresh_links_to_other_files_are_not_believed()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(300));
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());

        await Assert.ThrowsAsync<IntegrityException>(async () =>
        {
            await foreach (var order in reader.ReadAsync<Order>(server.Batch.BatchId))
            {
                if (order.Id != 1)
                    continue;
                server.Manifests = manifest => manifest with { Files = [.. manifest.Files.Reverse()] };
                server.ExpireLinks();
            }
        });
    }

    [Fact]
    public async Task Links_to_other_hosts_are_followed_only_where_the_host_is_allowed()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(10));
        var elsewhere = new UriBuilder(server.Address) { Host = "localhost" }.Uri.Authority;
        server.Manifests = manifest => manifest with
        {
            Files = [.. manifest.Files.Select(file => file with
            {
                Url = new Link(file.Url.Reveal().Replace(new Uri(server.Address).Authority, elsewhere, StringComparison.Ordinal)),
            })],
        };

        var failure = await Assert.ThrowsAsync<UntrustedLinkException>(() => Reading_a_batch.ReadAsync(server));
        Assert.Contains("localhost", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);

        using var client = server.Client();
        using var reader = new BatchReader(client, new BatchReaderOptions { AllowedLinkHosts = ["localhost"] });
        Assert.Equal(10, await reader.ReadAsync<Order>(server.Batch.BatchId).CountAsync());
    }

    [Theory]
    [InlineData("http", 1)] // what listens beside the service may be anybody's
    [InlineData("https", 0)]
    public async Task Links_to_another_port_or_scheme_of_the_service_s_host_are_not_followed(string scheme, int offset)
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(10));
        var own = new Uri(server.Address);
        var elsewhere = $"{scheme}://{own.Host}:{own.Port + offset}";
        server.Manifests = manifest => manifest with
        {
            Files = [.. manifest.Files.Select(file => file with
            {
                Url = new Link(
                    file.Url.Reveal().Replace(own.GetLeftPart(UriPartial.Authority), elsewhere, StringComparison.Ordinal)),
            })],
        };

        var failure = await Assert.ThrowsAsync<UntrustedLinkException>(() => Reading_a_batch.ReadAsync(server));
        Assert.Contains(elsewhere, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_manifest_of_another_batch_is_refused()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(10));
        var other = BatchId.New();
        server.Manifests = manifest => manifest with { BatchId = other };
        using var client = server.Client();

        await Assert.ThrowsAsync<IntegrityException>(() => client.GetManifestAsync(server.Batch.BatchId));
    }

    [Fact]
    public async Task A_redirect_to_another_host_is_not_followed()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(10));
        server.Faults.Enqueue(new Fault.Redirect("http://169.254.169.254/latest/meta-data"));

        await Assert.ThrowsAsync<UntrustedLinkException>(() => Reading_a_batch.ReadAsync(server));
    }
}
