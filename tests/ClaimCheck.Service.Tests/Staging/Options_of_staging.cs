using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.Tests.Staging;

[Trait("needs", "nothing")]
public sealed class Options_of_staging
{
    [Fact]
    public void The_defaults_are_right() => Assert.Empty(new StagingOptions { Bucket = "exports" }.Problems());

    [Fact]
    public void A_wrong_setting_is_named_with_its_value()
    {
        var wrong = new (StagingOptions Options, string Setting, string Value)[]
        {
            (new() { Bucket = "s3://exports" }, "Bucket", "s3://exports"),
            (new() { Bucket = "exports", Folder = "/srv" }, "Folder", "both"),
            (new() { ServiceUrl = "localhost:9000" }, "ServiceUrl", "localhost:9000"),
            (new() { PublicEndpoint = "https://s3.example/exports" }, "PublicEndpoint", "https://s3.example/exports"),
            (new() { Checksums = "none" }, "Checksums", "none"),
            (new() { PartBytes = 1 << 20 }, "PartBytes", "1048576"),
            (new() { ParallelParts = 0 }, "ParallelParts", "0"),
            (new() { StallTimeout = TimeSpan.Zero }, "StallTimeout", "00:00:00"),
            (new() { ServerSideEncryption = "rot13" }, "ServerSideEncryption", "rot13"),
            (new() { KmsKeyId = "key" }, "KmsKeyId", "ServerSideEncryption"),
        };

        Assert.All(wrong, item =>
        {
            var problem = Assert.Single(item.Options.Problems());
            Assert.Contains($"ClaimCheck:Staging:{item.Setting}", problem, StringComparison.Ordinal);
            Assert.Contains(item.Value, problem, StringComparison.Ordinal);
        });
    }
}
