using System.Text.RegularExpressions;
using ClaimCheck.Testing;
using YamlDotNet.RepresentationModel;

namespace ClaimCheck.EndToEnd.Tests.Compose;

/// <summary>The compose file says what it must; only a machine with Docker can run it.</summary>
public sealed partial class The_compose_file
{
    private static readonly string[] Init = ["./localstack-init:/etc/localstack/init/ready.d:ro"];
    private readonly YamlMappingNode services = Map(Read(), "services");

    [Fact]
    public void Has_the_services_that_it_takes() =>
        Assert.Equal(
            ["claimcheck", "localstack", "postgres"],
            services.Children.Keys.Select(name => $"{name}").Order(StringComparer.Ordinal));

    [Fact]
    public void Pins_its_images_but_the_one_that_is_built_here()
    {
        Assert.Equal("localstack/localstack:4.14.0", Text(Map(services, "localstack"), "image"));
        Assert.Matches(@"^postgres:\d+\.\d+$", Text(Map(services, "postgres"), "image"));
        Assert.Equal(("claimcheck:latest", "never"), (Text(Map(services, "claimcheck"), "image"), Text(
            Map(services, "claimcheck"), "pull_policy")));
        Assert.Contains("-t:PublishContainer -p:ContainerRepository=claimcheck\n", Source(), StringComparison.Ordinal);
    }

    [Fact]
    public void Opens_its_ports_on_loopback_only() =>
        Assert.All(
            services.Children.Values.SelectMany(service => Texts((YamlMappingNode)service, "ports")),
            port => Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal));

    [Fact]
    public void Has_LocalStack_check_signatures_and_run_the_init_script()
    {
        var localStack = Map(services, "localstack");

        Assert.Equal("0", Text(Map(localStack, "environment"), "S3_SKIP_SIGNATURE_VALIDATION"));
        Assert.Equal(Init, Texts(localStack, "volumes"));
        Assert.All(["postgres", "localstack"], name =>
            Assert.Equal("service_healthy", Text(Map(Map(Map(services, "claimcheck"), "depends_on"), name), "condition")));
    }

    [Fact]
    public void Names_only_settings_that_their_page_explains()
    {
        var page = File.ReadAllText(Path.Combine(S3Endpoint.RepositoryRoot(), "docs", "settings.md"));
        var settings = Map(Map(services, "claimcheck"), "environment").Children.Keys.Select(name => $"{name}")
            .Where(name => name.StartsWith("ClaimCheck__", StringComparison.Ordinal)
                || name.StartsWith("ConnectionStrings__", StringComparison.Ordinal))
            .Select(name => name.Replace("__", ":", StringComparison.Ordinal)).ToList();

        Assert.Contains("ClaimCheck:Publishing:TopicArn", settings);
        Assert.All(settings, name => Assert.Contains($"| `{name}`", page, StringComparison.Ordinal));
    }

    [Fact]
    public void Uses_the_names_that_the_init_script_makes()
    {
        var script = File.ReadAllText(Path.Combine(S3Endpoint.RepositoryRoot(), "localstack-init", "10-claimcheck.sh"));
        var made = Default().Matches(script)
            .ToDictionary(match => match.Groups["name"].Value, match => match.Groups["value"].Value);
        var service = Map(Map(services, "claimcheck"), "environment");

        Assert.Equal(made["BUCKET"], Text(service, "ClaimCheck__Staging__Bucket"));
        Assert.Equal($"arn:aws:sns:us-east-1:000000000000:{made["TOPIC"]}", Text(service, "ClaimCheck__Publishing__TopicArn"));
        Assert.Equal("us-east-1", Text(service, "AWS_REGION"));
        // The service needs no database binaries of its own.
        Assert.Contains("Host=postgres", Text(service, "ConnectionStrings__Catalog"), StringComparison.Ordinal);
    }

    [GeneratedRegex(
        @"\$\{CLAIMCHECK_(?<name>\w+):-(?<value>[^}]+)\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Default();

    private static string Source() => File.ReadAllText(Path.Combine(S3Endpoint.RepositoryRoot(), "docker-compose.yml"));

    private static YamlMappingNode Read()
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(Source()));
        return (YamlMappingNode)Assert.Single(yaml.Documents).RootNode;
    }

    private static YamlMappingNode Map(YamlMappingNode node, string name) => (YamlMappingNode)node.Children[name];

    private static string Text(YamlMappingNode node, string name) => ((YamlScalarNode)node.Children[name]).Value!;

    private static IEnumerable<string> Texts(YamlMappingNode node, string name) =>
        node.Children.TryGetValue(name, out var list)
            ? ((YamlSequenceNode)list).Select(item => ((YamlScalarNode)item).Value!)
            : [];
}
